import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../apps/operator/src/run-command.ts'
import { repository } from '../scripts/stack/service.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, type Body, visaCharge, visaTokenize } from './caller.ts'
import { createPayers, type Payer, until } from './matrix-payer.ts'
import { SHORT_TIMES, TIME_SCALE, TRIES } from './short-times.ts'

/** The operators' command as operators run it, on a whole system, as the users of deploy/redis. */

vi.setConfig({ maxConcurrency: 100 })

const env = { TIME_SCALE: String(TIME_SCALE), ...SHORT_TIMES, LATE_APPROVAL: 'report' }
/** PAYCONEX_TIMEOUT and ABSENCE_MARGIN, as scaled here. */
const ABSENCE_MS = 1500
const CARD = String(visaCharge().cardnumber)

let stack: Stack
let payers: ReturnType<typeof createPayers>
let administrator: Redis
const folder = mkdtempSync(join(tmpdir(), 'pay-operator-'))
const keyFile = join(folder, 'access-key')

beforeAll(async () => {
  writeFileSync(keyFile, `${ACCESS_KEY}\n`)
  stack = await startTestStack({ gateways: 1, workers: 1, env })
  payers = createPayers({ stack, timeScale: TIME_SCALE, tries: TRIES })
  administrator = new Redis(stack.ledger.url)
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  administrator?.disconnect()
  payers?.close()
  await stack?.stop()
})

type Ended = { code: number | null; out: string; said: string }

/** All that was ever printed. */
const printed: string[] = []

type Words = readonly string[]

const environmentOf = (user: 'operator' | 'cashier', more: Record<string, string>) => ({
  ...stack.env,
  LEDGER_REDIS_URL: stack.ledger.urls[user],
  QUEUE_REDIS_URL: stack.queue.urls[user],
  ...more,
})

/** As a process of its own. */
function start(user: 'operator' | 'cashier', words: Words, more: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['apps/operator/src/main.ts', ...words], {
    cwd: repository,
    env: { PATH: process.env.PATH, ...environmentOf(user, more) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended: Ended = { code: null, out: '', said: '' }
  child.stdout.on('data', (text) => (ended.out += text))
  child.stderr.on('data', (text) => (ended.said += text))
  return { child, ended }
}

async function asProcess(
  user: 'operator' | 'cashier',
  words: Words,
  more: Record<string, string> = {},
): Promise<Ended> {
  const { child, ended } = start(user, words, more)
  const [code] = await once(child, 'close')
  printed.push(ended.out, ended.said)
  return { ...ended, code }
}

/** The same, but for main.ts, in this process: a machine that is busy takes its time to start one. */
async function run(user: 'operator' | 'cashier', words: Words, more: Record<string, string> = {}): Promise<Ended> {
  const [input, output, messages] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await runCommand(words, {
    env: environmentOf(user, more),
    input,
    output,
    messages,
    over: AbortSignal.timeout(60_000),
    user: () => 'nobody',
  })
  const [out, said] = [textOf(output), textOf(messages)]
  printed.push(out, said)
  return { code, out, said }
}

/** All that was written; from Node 26 on one read gives one piece of it. */
function textOf(stream: PassThrough): string {
  let text = ''
  for (let piece = stream.read(); piece !== null; piece = stream.read()) text += piece
  return text
}

const look = (...words: string[]) => run('operator', words)
const change = (...words: string[]) => run('cashier', [...words, '--by', 'ann', '--yes'], { ACCESS_KEY_FILE: keyFile })
const namesOf = ({ account, customId }: Payer) => [account, customId]

const json = ({ out }: Ended) => JSON.parse(out) as Record<string, unknown>
const linesOf = ({ out }: Ended) =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Charged, but neither answered nor found before the caller has heard `unconfirmed`. */
async function unconfirmed(make: () => Body = visaCharge): Promise<Payer> {
  const payer = payers.payer(make)
  await payer.fault({ fault: 'lose_answer' })
  await payer.fault({ fault: '500', on: 'status', share: 1, label: payer.customId })
  expect(await payer.call()).toBe('unconfirmed')
  await payer.reaches('unconfirmed')
  return payer
}

/** From now on PayConex says what it has. */
const isFound = ({ customId }: Payer) => payers.payconex.clearFaults(customId)

/** Nobody has an answer for it any more: the look at it was the last. */
async function forReview(): Promise<Payer> {
  const payer = await unconfirmed()
  const { payment } = json(await look('show', ...namesOf(payer), '--json'))
  const isReview = async () => {
    await administrator.hset(`{s0}:payment:${payment}`, 'asked', 13)
    return (await payer.record())?.state === 'review'
  }
  expect(await until(isReview, 10_000)).toBe(true)
  return payer
}

describe.concurrent('an unconfirmed payment', () => {
  it('is shown as it stands, and becomes what PayConex says when it is asked', async () => {
    const payer = await unconfirmed()

    const shown = await asProcess('operator', ['show', ...namesOf(payer)])
    expect(shown).toMatchObject({ code: 0, said: '' })
    expect(shown.out).toMatch(/^unconfirmed +it may have been charged/m)
    expect(shown.out).toMatch(/^Twilio hears +.*"error_code":"unconfirmed"/m)
    expect(shown.out).toMatch(/passed the fence, sent under the id \d{12}/)
    await isFound(payer)
    const asked = await change('ask', ...namesOf(payer), '--json')

    const [charge] = await payer.charges()
    expect(asked).toMatchObject({ code: 0, said: expect.stringContaining('it is settled') })
    expect(json(asked)).toMatchObject({ state: 'approved', id: charge?.transaction_id })
    const audit = linesOf(await look('audit', ...namesOf(payer), '--json'))
    expect(audit).toEqual([expect.objectContaining({ by: 'ann', what: 'ask', from: 'unconfirmed', to: 'unconfirmed' })])
  })

  it('that PayConex gives no answer about stays so, and the person hears why', async () => {
    const payer = await unconfirmed()

    const asked = await change('ask', ...namesOf(payer))

    expect(asked).toMatchObject({ code: 0, said: expect.stringContaining('no answer that says yes or no') })
    expect(asked.out).toMatch(/PayConex was asked, and gave no answer/)
    expect((await payer.record())?.state).toBe('unconfirmed')
  })

  it('is resolved by a person who has looked, and whoever asks again hears so', async () => {
    const payer = await unconfirmed()
    const [charge] = await payer.charges()
    const id = charge?.transaction_id ?? ''
    const words = ['resolve', ...namesOf(payer), '--as', 'approved', '--id', id]

    expect(await asProcess('cashier', [...words, '--reason', 'seen in the console'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('it takes --yes'),
    })
    expect(await change(...words, '--reason', `card ${CARD}`)).toMatchObject({ code: 2 })
    const pasted = ['resolve', ...namesOf(payer), '--reason', 'pasted', '--as']
    expect(await change(...pasted, 'approved', '--id', CARD)).toMatchObject({ code: 2 })
    expect(await change(...pasted, 'declined', '--code', CARD, '--message', 'NO')).toMatchObject({ code: 2 })
    expect((await payer.record())?.state).toBe('unconfirmed')
    const resolved = await change(...words, '--reason', 'seen in the console', '--json')

    expect(json(resolved)).toMatchObject({ state: 'approved', id, twilio_hears: { charge_id: id, error_code: null } })
    expect(await payer.call()).toBe('approved')
    expect(await payer.charges()).toHaveLength(1)
    expect(await change(...words, '--reason', 'again')).toMatchObject({ code: 1 })
    expect((await look('audit', ...namesOf(payer))).out).toMatch(
      /ann {2}resolve {2}p_\S+ {2}unconfirmed > approved as \d+ {2}seen in/,
    )
  })

  it('cannot be changed by somebody who may only look', async () => {
    const payer = await unconfirmed()

    const ended = await run('operator', ['ask', ...namesOf(payer)])

    expect(ended).toMatchObject({ code: 2, out: '', said: expect.stringContaining('is for the user cashier') })
    expect(linesOf(await look('audit', ...namesOf(payer), '--json'))).toEqual([])
  })
})

describe.concurrent('a payment for review', () => {
  it('is asked about with the access key that the person brings', async () => {
    const payer = await forReview()
    await isFound(payer)

    expect(await run('cashier', ['ask', ...namesOf(payer)])).toMatchObject({
      code: 2,
      said: expect.stringContaining('ACCESS_KEY'),
    })
    const asked = await change('ask', ...namesOf(payer), '--json')

    expect(json(asked)).toMatchObject({ state: 'approved', id: (await payer.charges())[0]?.transaction_id })
  })

  it('that PayConex gives no answer about is for review again after one look', async () => {
    const payer = await forReview()

    const asked = await change('ask', ...namesOf(payer), '--json')

    expect(asked).toMatchObject({ code: 0, said: expect.stringContaining('no answer that says yes or no') })
    expect(json(asked)).toMatchObject({ state: 'review' })
  })

  it('where PayConex took another amount is not asked about; a person says that it was undone, and another card may pay', async () => {
    const payer = payers.payer(() => ({ ...visaCharge(), amount: '1.12' }))
    expect(await payer.call()).toBe('unconfirmed')
    await payer.reaches('review')
    // PayConex has had all the time it needs.
    await sleep(ABSENCE_MS)

    expect(await change('ask', ...namesOf(payer))).toMatchObject({ code: 1, said: expect.stringContaining('console') })
    const resolved = await change(
      'resolve',
      ...namesOf(payer),
      '--as',
      'declined',
      '--reason',
      'refunded in the console',
    )

    expect(resolved).toMatchObject({ code: 0, said: expect.stringContaining('that is a double charge') })
    expect(resolved.said).toMatch(/PayConex is done with it \d.* after it was sent, and it is remembered for 7 d/)
    expect(await payer.call()).toBe('not_processed')
    payer.body.cardnumber = '4111111111111111'
    payer.body.amount = '2.00'
    expect(await payer.call()).toBe('approved')
  })
})

describe.concurrent('an approval that nobody can have heard of', () => {
  it('is listed, and reversed once when a person says so', async () => {
    const payer = await unconfirmed()
    expect(await change('reverse', ...namesOf(payer))).toMatchObject({ code: 1 })
    await isFound(payer)
    const isListed = async () =>
      linesOf(await look('list', '--late', '--json')).some(({ account }) => account === payer.account)
    expect(await until(isListed, 10_000)).toBe(true)

    const mistyped = ['reverse', ...namesOf(payer), '--by', 'ann', '--yes']
    expect(await run('cashier', mistyped, { ACCESS_KEY: 'wrong' })).toMatchObject({
      code: 1,
      said: expect.stringContaining('it was not reversed: PayConex refused the access key'),
    })
    expect(await isListed()).toBe(true)
    const reversed = await change('reverse', ...namesOf(payer), '--reason', 'never delivered', '--json')

    expect(json(reversed)).toMatchObject({ state: 'reversed', twilio_hears: { error_code: 'not_processed' } })
    expect(reversed.code).toBe(0)
    expect(await payer.books('reversed')).toMatchObject({ charged: 1, returned: 1 })
    expect(await isListed()).toBe(false)
    expect(await change('reverse', ...namesOf(payer))).toMatchObject({ code: 1 })
    expect(await payer.requests('reversal')).toHaveLength(1)
  })
})

describe.concurrent('whoever looks', () => {
  it('finds payments by state and account, by key, charges and tokens, and counts them', async () => {
    const [paid, stored] = [payers.payer(), payers.payer(visaTokenize)]
    expect([await paid.call(), await stored.call()]).toEqual(['approved', 'approved'])

    const [byState, token, counts] = await Promise.all([
      look('list', '--state', 'approved', '--account', paid.account, '--json'),
      look('show', ...namesOf(stored), '--json'),
      look('stats', '--all', '--json'),
    ])

    const [found] = linesOf(byState)
    expect(found).toMatchObject({
      account: paid.account,
      transaction_id: paid.customId,
      state: 'approved',
      heard: true,
    })
    expect(json(token)).toMatchObject({ method: 'tokenize', twilio_hears: { token_id: expect.any(String) } })
    expect(json(counts)).toMatchObject({ of: 'all', states: { approved: { payments: expect.any(Number) } } })
    expect((await look('show', String(found?.payment))).out).toContain('somebody may have heard of it')
    expect(await look('show', paid.account, 'no-such-payment')).toMatchObject({ code: 1, out: '' })
    expect(await change('reverse', ...namesOf(paid))).toMatchObject({
      code: 1,
      said: expect.stringContaining('console'),
    })
  })

  it('watches what changes until Ctrl-C', async () => {
    const { child, ended } = start('operator', ['watch', '--json'])
    const isSeen = async () => {
      const payer = payers.payer(() => ({ ...visaCharge(), amount: '1.11' }))
      await payer.tryOnce(0, 1200)
      return ended.out.includes(payer.account)
    }

    expect(await until(isSeen, 15_000)).toBe(true)
    child.kill('SIGINT')

    const [code] = await once(child, 'close')
    printed.push(ended.out, ended.said)
    expect(code).toBe(0)
    expect(linesOf(ended).at(-1)).toMatchObject({ payment: expect.stringMatching(/^p_/), to: expect.any(String) })
  })

  it('is told which variable is wrong, and what the ledger is not', async () => {
    const other = { LEDGER_KEY: Buffer.alloc(32, 7).toString('base64') }

    expect(await run('operator', ['list'], other)).toMatchObject({
      code: 2,
      said: expect.stringContaining('another LEDGER_KEY'),
    })
    expect(await run('operator', ['list'], { SHARDS: '0' })).toMatchObject({
      code: 2,
      said: expect.stringContaining('SHARDS'),
    })
    expect(await look('list', '--as', 'approved')).toMatchObject({
      code: 2,
      said: expect.stringContaining('list has no --as'),
    })
  })

  it('sees no card where somebody made one a transaction_id', async () => {
    const payer = payers.payer(() => ({ ...visaCharge(), transaction_id: CARD.replace(/(\d{4})(?=\d)/g, '$1 ') }))
    expect(await payer.call()).toBe('approved')

    const shown = await look('show', ...namesOf(payer))

    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('not shown: looks like a card number') })
    expect(shown.out).not.toContain(payer.customId)
    await look('list', '--state', 'approved', '--account', payer.account)
  })
})

it('nothing that was ever printed has a card number or an access key in it', () => {
  const everything = printed.join('\n')

  expect(printed.length).toBeGreaterThan(40)
  expect(everything).not.toContain(ACCESS_KEY)
  expect(everything.replace(/[ -]/g, '')).not.toContain(CARD)
  expect(everything).not.toContain(stack.env.SEAL_KEYS?.slice(3))
})
