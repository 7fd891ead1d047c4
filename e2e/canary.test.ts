import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../scripts/stack/service.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import {
  ACCESS_KEY,
  ACCOUNT,
  type Body,
  bankCharge,
  bankTokenize,
  declinedCharge,
  type PostOptions,
  postAndHangUp,
  visaCharge,
  visaTokenize,
} from './caller.ts'
import { until } from './matrix-payer.ts'
import { witness } from './simulator.ts'

/** Payments of every kind with marked cards, while processes and servers are killed; then `npm run scan` looks for these cards in
 * all that is left: both servers, their files, every command they were given, what every process wrote, what the system shows of
 * it, its metrics. */

const TIME_SCALE = 0.1
const TRY_MS = 10_000 * TIME_SCALE
const LOAD_MS = 6000
const CALLERS = 8

const CARDS = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117']
const CVV = '9713'
const EXPIRY = { expiry_month: '12', expiry_year: '2099' }
const WRONG_KEY = 'wrong0canary0key0wrong0canary0ke'
const BANK = ['15378535', '244183602']
// With what stands before it: bare, it would be any number. The other quotes are those of JSON within a string.
const EXPIRIES = ['expiration', 'expiry_year'].flatMap((name) =>
  ['=', '":"', '\\":\\"'].map((between) => `${name}${between}${name === 'expiration' ? '1299' : '2099'}`),
)
const CANARIES = [...CARDS, CVV, ...BANK, ...EXPIRIES, ACCESS_KEY, `${ACCOUNT}:${ACCESS_KEY}`, WRONG_KEY]

let stack: Stack
let folder: string
let before: string[]
const monitors: Socket[] = []

const keep = (name: string, line: string) => appendFileSync(join(folder, `${name}.log`), `${line}\n`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pay-canary-'))
  before = await readdir(repository)
  await mkdir(join(folder, 'tmp'))
  const env = { TIME_SCALE: String(TIME_SCALE), LOG_LEVEL: 'trace', TMPDIR: join(folder, 'tmp') }
  stack = await startTestStack({ gateways: 2, workers: 3, env, onLog: keep })
  await Promise.all([watch(stack.queue), watch(stack.ledger)])
})

afterAll(async () => {
  for (const monitor of monitors) monitor.destroy()
  await stack?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Notes every command that a server is given from now on, and has the server note them, too. On a bare socket: a client would
 * have to tell the commands from the answer to MONITOR itself. */
async function watch({ kind, url }: Stack['queue']): Promise<void> {
  const redis = new Redis(url)
  await redis.config('SET', 'slowlog-log-slower-than', '0')
  await redis.config('SET', 'slowlog-max-len', '5000')
  redis.disconnect()
  const monitor = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined)
  monitor.write('MONITOR\r\n')
  monitor.on('data', (bytes) => appendFileSync(join(folder, `commands-${kind}.log`), bytes))
  monitors.push(monitor)
}

const endpoint = (nth = 0) => stack.gateways.filter(({ isRunning }) => isRunning()).at(nth)?.endpoint ?? ''

const marked = (make: () => Body, card?: string): Body => ({
  ...make(),
  ...EXPIRY,
  cvv: CVV,
  ...(card !== undefined && { cardnumber: card }),
})

/** As Twilio calls: again on silence, at whichever gateway is there. */
async function call(body: unknown, options: PostOptions = {}): Promise<string> {
  for (let tries = 0; tries < 6; tries += 1) {
    const answer = await postAndHangUp(endpoint(-1 - (tries % 2)), body, TRY_MS, options)
    if (answer !== 'silence') return answer.body.error_code ?? 'approved'
    await sleep(20)
  }
  return 'silence'
}

async function withFault(fault: string, body: Body): Promise<string> {
  await witness(stack.simulator?.url ?? '').fault({ fault, custom_id: body.transaction_id })
  return call(body)
}

async function twice(first: Body, second: Body): Promise<string> {
  await call(first)
  return call({ ...second, transaction_id: first.transaction_id })
}

const visa = () => marked(visaCharge)
const inDisorder = () => JSON.stringify(visa()).slice(0, -20)

/** Everything that somebody may do with a card. */
const DEEDS: readonly (() => Promise<string>)[] = [
  ...CARDS.map((card) => () => call(marked(visaCharge, card))),
  () => call(marked(visaTokenize)),
  () => call(bankCharge()),
  () => call(bankTokenize()),
  () => call(marked(declinedCharge)),
  () => withFault('lose_answer', visa()),
  () => withFault('reset_after_commit', visa()),
  () => withFault('hang', visa()),
  () => withFault('500', visa()),
  () => twice(visa(), visa()),
  () => twice(visa(), marked(visaCharge, CARDS[1])),
  async () => String(await postAndHangUp(endpoint(-1), visa(), 5)),
  // Where it does not belong: every field, the path, the credentials.
  () => call({ ...visa(), amount: CARDS[0] }),
  () => call({ ...visa(), currency_code: CARDS[0], method: CARDS[0] }),
  () => call({ ...visa(), cardnumber: `${CARDS[0]}x`, cvv: `${CVV}y` }),
  () => call({ ...visa(), expiry_month: CARDS[0] }),
  () => call({ ...visa(), [CARDS[0] ?? '']: CARDS[0], parameters: { [CARDS[0] ?? '']: CARDS[0] } }),
  () => call({ ...visa(), parameters: CARDS[0] }),
  () => call(inDisorder()),
  () => call(`cardnumber=${CARDS[0]}&cvv=${CVV}`),
  () => call(visa(), { path: `?cardnumber=${CARDS[0]}` }),
  () => call(visa(), { path: `/${CARDS[0]}` }),
  () => call(visa(), { password: WRONG_KEY }),
  () => call(visa(), { user: ACCESS_KEY, password: ACCOUNT }),
  () => call(visa(), { user: CARDS[0] ?? '' }),
  () => call(visa(), { user: 'no account', password: CARDS[0] ?? '' }),
]

async function pay(endsAt: number): Promise<string[]> {
  const heard: string[] = []
  let next = 0
  const caller = async () => {
    while (performance.now() < endsAt || next < DEEDS.length) {
      const deed = DEEDS[next++ % DEEDS.length]
      heard.push((await deed?.()) ?? '')
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return heard
}

/** One after the other, with time to recover. */
async function breakThings(): Promise<void> {
  const pauseMs = LOAD_MS / 6
  await sleep(pauseMs)
  stack.workers[0]?.kill('SIGKILL')
  await sleep(pauseMs)
  stack.gateways[0]?.kill('SIGKILL')
  await stack.addGateway()
  await sleep(pauseMs)
  await stack.queue.kill()
  await stack.queue.restart()
  await watch(stack.queue)
  await sleep(pauseMs)
  await stack.ledger.kill()
  await stack.ledger.restart()
  await watch(stack.ledger)
}

type Ended = { code: number | null; out: string }

/** As it is run by people, with an operator's rights; what to look for does not stand on its command line. */
function scan(values: readonly string[]): Promise<Ended> {
  const { queue, ledger } = stack
  const servers = [queue, ledger].flatMap(({ urls }) => ['--redis', urls.operator])
  // The files of a server in a container are in there.
  const memory = queue.pid === undefined ? ['--memory-only'] : []
  const what = values.length > 0 ? ['--values', '-'] : []
  const left = strangers().flatMap((path) => ['--path', path])
  const args = ['run', '--silent', 'scan', '--', ...servers, ...memory, ...what, '--path', folder, ...left]
  const child = spawn('npm', args, { cwd: repository, env: process.env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (out += text))
  child.stdin.end(values.join('\n'))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })))
}

let after: string[] = []

/** What has appeared where the processes work: core files, crash reports, heap snapshots. */
const strangers = () => after.filter((name) => !before.includes(name)).map((name) => join(repository, name))

/** What can be seen of processes from outside. Their environment holds the keys that seal, and nothing that was sealed. */
async function keepWhatShows(): Promise<void> {
  for (const { name, pid, opsUrl } of [...stack.gateways, ...stack.workers].filter((child) => child.isRunning())) {
    // Without the numbers: one of them may be a CVV by chance.
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
    await writeFile(join(folder, `${name}.metrics`), metrics.replaceAll(/ \S+$/gm, ''))
    for (const file of ['cmdline', 'comm', 'environ']) {
      await writeFile(join(folder, `${name}.${file}`), await readFile(`/proc/${pid}/${file}`).catch(() => ''))
    }
  }
}

async function sealedKeys(): Promise<string[]> {
  const queue = new Redis(stack.queue.url)
  const keys = await queue.keys('*:sealed:*')
  queue.disconnect()
  return keys
}

describe('after payments of every kind, and crashes', () => {
  let heard: string[]

  beforeAll(async () => {
    const [answers] = await Promise.all([pay(performance.now() + LOAD_MS), breakThings()])
    heard = answers
    // The payments whose callers hung up end, too.
    await until(async () => (await sealedKeys()).length === 0, 10_000)
    expect(await sealedKeys()).toEqual([])
    await keepWhatShows()
    after = await readdir(repository)
    for (const child of [...stack.gateways, ...stack.workers]) await child.stop()
  }, 120_000)

  it('there was something to leave: payments of every kind came to every end', () => {
    expect(heard).toEqual(expect.arrayContaining(['30002', 'invalid_request', 'unauthorized', 'transaction_id_reused']))
    expect(heard.filter((answer) => answer === 'approved').length).toBeGreaterThan(10)
  })

  it('no card, CVV, expiry, bank account or access key is anywhere in clear', async () => {
    expect(await scan(CANARIES)).toEqual({ code: 0, out: expect.stringMatching(/^clean: /) })
  })

  it('nor is anything else that looks like a card or an access key', async () => {
    expect(await scan([])).toEqual({ code: 0, out: expect.stringMatching(/^clean: /) })
  })

  it('and would have been found: in memory, on a disk, in a log, in the work of a crash', async () => {
    const [queue, ledger] = [new Redis(stack.queue.url), new Redis(stack.ledger.url)]
    await queue.xadd('{s0}:payments:events', '*', 'returnvalue', `{"cvv":"${CVV}"}`)
    await ledger.set('planted', CARDS[0] ?? '')
    await ledger.del('planted')
    keep('worker-2', `{"level":50,"err":{"config":{"data":"card_number=${CARDS[2]}"}}}`)
    await writeFile(join(folder, 'core.1'), Buffer.from(`\u4e00${ACCESS_KEY}`, 'utf16le'))

    const { code, out } = await scan(CANARIES)

    queue.disconnect()
    ledger.disconnect()
    expect(code).toBe(1)
    expect(out).toMatch(/value 5: redis\S+ db 0, "{s0}:payments:events", entry/)
    if (stack.ledger.pid !== undefined) expect(out).toMatch(/card number 1: \S+incr\.aof, key "planted"/)
    expect(out).toMatch(/card number 1: redis\S+ slow commands/)
    expect(out).toMatch(/card number 3: \S+worker-2\.log/)
    expect(out).toMatch(/in UTF-16: \S+core\.1, byte 2/)
    for (const canary of CANARIES) expect(out).not.toContain(canary)
  })
})
