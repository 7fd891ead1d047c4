import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { User } from '../deploy/redis/acl.ts'
import { repository } from '../scripts/stack/service.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestRedis, startTestStack } from '../scripts/test/servers.ts'
import { bankCharge, declinedCharge, visaCharge, visaTokenize } from './caller.ts'
import { createPayers } from './matrix-payer.ts'
import { SHORT_TIMES, TIME_SCALE, TRIES } from './short-times.ts'

/** Gateways and workers as the users of deploy/redis, on real servers: they can do all that they must, and nothing else. (All of
 * e2e/ runs as these users; here the servers are asked whether they refused anything.) */

const env = { MODE: 'strict', LOG_LEVEL: 'trace', TIME_SCALE: String(TIME_SCALE), ...SHORT_TIMES }

let stack: Stack
let payers: ReturnType<typeof createPayers>
const opened: Redis[] = []

const commandLineOf = (pid: number) =>
  process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    : execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 2, env })
  payers = createPayers({ stack, timeScale: TIME_SCALE, tries: TRIES })
  await payers.isServed()
})

afterAll(async () => {
  payers?.close()
  for (const redis of opened) redis.disconnect()
  await stack?.stop()
})

function connect(url: string): Redis {
  const redis = new Redis(url, { disableClientInfo: true, enableReadyCheck: false }).on('error', () => undefined)
  opened.push(redis)
  return redis
}

/** What both servers refused since they run, to whom. */
async function refusals(): Promise<string[]> {
  const logs = await Promise.all([stack.queue, stack.ledger].map(({ url }) => connect(url).call('ACL', 'LOG')))
  return (logs as unknown[][]).flat().map((entry) => JSON.stringify(entry))
}

describe('a gateway and a worker with least rights', () => {
  it('take payments and tokens, and pass on a no', async () => {
    const makes = [visaCharge, bankCharge, visaTokenize, declinedCharge]

    const heard = await Promise.all(makes.map((make) => payers.payer(make).call()))

    expect(heard.slice(0, 3)).toEqual(['approved', 'approved', 'approved'])
    expect(heard[3]).toMatch(/^\d+$/)
    expect(await refusals()).toEqual([])
  })

  it('ask for a lost answer, and reverse what nobody can have heard of', async () => {
    const [lost, late] = [payers.payer(), payers.payer()]
    await lost.fault({ fault: 'lose_answer' })
    await late.fault({ fault: 'delay', ms: 700 })

    const [heard, silence] = await Promise.all([lost.call(), late.tryOnce(0, 400)])

    expect([heard, silence]).toEqual(['approved', 'silence'])
    expect(await late.books('reversed')).toMatchObject({ charged: 1, returned: 1 })
    expect(await refusals()).toEqual([])
  })

  it('take over from a worker that was killed, drain, and begin anew with servers that were restarted', async () => {
    const payer = payers.payer()
    await payer.prove()
    await payer.fault({ fault: 'delay', ms: 800 })
    const answer = payer.call()
    await payer.arrived('sale', 2)

    for (const worker of stack.workers) worker.kill('SIGKILL')
    await stack.addWorker()

    // How soon the new worker is there decides what the caller hears.
    expect(['approved', 'unconfirmed']).toContain(await answer)
    expect(await payer.books('approved', 'reversed')).toMatchObject({ charged: 1 })
    expect(await refusals()).toEqual([])
    await Promise.all([stack.queue.restart(), stack.ledger.restart()])
    await payers.isServed()
    const [gateway, worker] = [stack.gateways[1], stack.workers.at(-1)]
    expect(await Promise.all([gateway?.stop(), worker?.stop()])).toMatchObject([{ code: 0 }, { code: 0 }])
    expect(await refusals()).toEqual([])
  })

  it('never say the password of their user, and do not show it to who lists processes', async () => {
    const passwords = [stack.queue, stack.ledger].flatMap(({ urls }) =>
      Object.values(urls).map((url) => new URL(url).password),
    )
    const running = [...stack.gateways, ...stack.workers].filter((child) => child.isRunning())
    const shown = running.map(({ pid }) => commandLineOf(pid))

    for (const text of [...shown, ...stack.logs]) for (const password of passwords) expect(text).not.toContain(password)
    expect(shown.length).toBeGreaterThan(0)
    expect(stack.logs.length).toBeGreaterThan(0)
  })

  it.each(['s0', 's1', 's12'])('have keys of every shard, such as those of %s', async (shard) => {
    const gateway = connect(stack.queue.urls.gateway)
    const worker = connect(stack.queue.urls.worker)
    const ledger = connect(stack.ledger.urls.worker)
    const sealed = `{${shard}}:sealed:p_1.1`

    await gateway.set(sealed, 'sealed', 'PX', 1000)

    expect(await worker.get(sealed)).toBe('sealed')
    expect(await worker.del(sealed)).toBe(1)
    expect(await ledger.zscore(`{${shard}}:open`, 'p_1')).toBeNull()
  })
})

/** A script that called what its user may not, says it in its own words. */
const REFUSED = /^NOPERM|user executing the script can't|ACL failure in script/

const SEALED = '{s0}:sealed:p_somebody.1'
const JOB = '{s0}:payments:1'
const MOVED = '{s0}:payments:moved'

type Attempt = [command: string, ...args: (string | number)[]]

/** Ways to read what was sealed, and to get out of one's rights. */
const READS: Attempt[] = [
  ['GET', SEALED],
  ['GETDEL', SEALED],
  ['GETEX', SEALED],
  ['GETSET', SEALED, 'x'],
  ['GETRANGE', SEALED, 0, -1],
  ['SUBSTR', SEALED, 0, -1],
  ['MGET', SEALED],
  ['SET', SEALED, 'x', 'GET'],
  ['STRLEN', SEALED],
  ['LCS', SEALED, JOB],
  ['DUMP', SEALED],
  ['COPY', SEALED, MOVED],
  ['RENAME', SEALED, MOVED],
  ['RENAMENX', SEALED, MOVED],
  ['MOVE', SEALED, 1],
  ['SORT', JOB, 'BY', 'nosort', 'GET', SEALED],
  ['SORT_RO', JOB, 'BY', 'nosort', 'GET', SEALED],
  ['BITOP', 'NOT', MOVED, SEALED],
  ['BITCOUNT', SEALED],
  ['GETBIT', SEALED, 0],
  ['BITFIELD', SEALED, 'GET', 'u8', 0],
  ['PFMERGE', MOVED, SEALED],
  ['OBJECT', 'FREQ', SEALED],
  ['MIGRATE', '127.0.0.1', 1, SEALED, 0, 100],
  ['LMPOP', 1, SEALED, 'LEFT'],
  ['RPOPLPUSH', SEALED, MOVED],
  ['EVAL', "return redis.call('get', KEYS[1])", 1, SEALED],
  ['EVAL', `return redis.call('get', '${SEALED}')`, 0],
  ['EVAL', `return redis.call('set', '${SEALED}', 'x', 'GET')`, 0],
  ['EVAL', `return redis.call('rpoplpush', '${SEALED}', '${MOVED}')`, 0],
  ['EVAL_RO', "return redis.call('get', KEYS[1])", 1, SEALED],
]

const POWERS: Attempt[] = [
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['KEYS', '*'],
  ['RANDOMKEY'],
  ['SWAPDB', 0, 1],
  ['CONFIG', 'SET', 'appendonly', 'yes'],
  ['CONFIG', 'REWRITE'],
  ['CONFIG', 'RESETSTAT'],
  ['SAVE'],
  ['BGSAVE'],
  ['BGREWRITEAOF'],
  ['SYNC'],
  ['PSYNC', '?', -1],
  ['REPLCONF', 'ACK', 0],
  ['REPLICAOF', '127.0.0.1', 1],
  ['FAILOVER'],
  ['SHUTDOWN', 'NOSAVE'],
  ['MONITOR'],
  ['LATENCY', 'RESET'],
  ['MEMORY', 'DOCTOR'],
  ['MODULE', 'LIST'],
  ['ACL', 'LIST'],
  ['ACL', 'SETUSER', 'gateway', '+@all'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['CLIENT', 'PAUSE', 0],
  ['CLIENT', 'TRACKING', 'ON'],
  ['SCRIPT', 'FLUSH'],
  ['FUNCTION', 'FLUSH'],
  ['PSUBSCRIBE', '*'],
  ['SUBSCRIBE', '__keyspace@0__:*'],
  ['PUBLISH', 'other', 'x'],
  ['EVAL', "return redis.call('flushall')", 0],
  ['EVAL', "return redis.call('get', 'others')", 0],
]

/** What `npm run scan` looks at, and nobody else needs. */
const NOTED: Attempt[] = [
  ['SELECT', 1],
  ['SLOWLOG', 'GET'],
  ['ACL', 'LOG'],
  ['CLIENT', 'LIST'],
]

const ofQueue = (user: User) => () => stack.queue.urls[user]
const ofLedger = (user: User) => () => stack.ledger.urls[user]

const FORBIDDEN: [who: string, url: () => string, attempts: Attempt[]][] = [
  ['a gateway reads nothing that was sealed', ofQueue('gateway'), READS],
  [
    'a gateway has no power over the queue',
    ofQueue('gateway'),
    [...POWERS, ...NOTED, ['SCAN', 0], ['BZPOPMIN', JOB, 1]],
  ],
  [
    'a gateway has no power over the ledger',
    ofLedger('gateway'),
    [
      ...POWERS,
      ...NOTED,
      ['SCAN', 0],
      ['GET', '{s0}:lease:w1'],
      ['DEL', '{s0}:sweeper'],
      ['HGET', '{s0}:honoured', 'x'],
      ['HINCRBY', '{s0}:ledger', 'fences', 1],
    ],
  ],
  [
    'a worker seals nothing',
    ofQueue('worker'),
    [
      ['SET', SEALED, 'x'],
      ['SET', SEALED, 'x', 'GET'],
      ['EXPIRE', SEALED, 9999],
      ['PERSIST', SEALED],
      ['COPY', SEALED, MOVED],
      ['EVAL', `return redis.call('set', '${SEALED}', 'x')`, 0],
    ],
  ],
  ['a worker has no power over the queue', ofQueue('worker'), [...POWERS, ...NOTED, ['SCAN', 0]]],
  [
    'a worker has no power over the ledger',
    ofLedger('worker'),
    [...POWERS, ...NOTED, ['SCAN', 0], ['SUBSCRIBE', 'reply:g1']],
  ],
  [
    'an operator changes nothing on the queue',
    ofQueue('operator'),
    [...POWERS, ['SLOWLOG', 'RESET'], ['SET', JOB, 'x'], ['DEL', JOB], ['DEL', SEALED], ['EVAL', 'return 1', 0]],
  ],
  [
    'an operator changes nothing in the ledger',
    ofLedger('operator'),
    [
      ...POWERS,
      ['HSET', '{s0}:payment:p_1', 's', 'a'],
      ['DEL', '{s0}:payment:p_1'],
      ['ZREM', '{s0}:open', 'p_1'],
      ['EVAL', 'return 1', 0],
      ['XADD', '{s0}:audit', '*', 'by', 'nobody'],
    ],
  ],
  [
    'a cashier reads nothing on the queue but what others saw of the ledger',
    ofQueue('cashier'),
    [
      ...POWERS,
      ...NOTED,
      ['SCAN', 0],
      ['GET', SEALED],
      ['HSET', '{s0}:ledger-seen', 'fences', 1],
      ['EVAL', 'return 1', 0],
    ],
  ],
  [
    'a cashier has no power over the ledger, and adds to the audit stream without changing it',
    ofLedger('cashier'),
    [
      ...POWERS,
      ...NOTED,
      ['DEL', '{s0}:audit'],
      ['XDEL', '{s0}:audit', '1-1'],
      ['XTRIM', '{s0}:audit', 'MAXLEN', 0],
      ['SET', '{s0}:lease:w1', 'x'],
      ['HINCRBY', '{s0}:ledger', 'fences', 1],
    ],
  ],
]

describe('what nobody may who needs it not', () => {
  it.each(FORBIDDEN)('%s', async (_, urlOf, attempts) => {
    const redis = connect(urlOf())
    const refused = async ([command, ...args]: Attempt) =>
      redis.call(command, ...args).then(
        (answer) => `answered ${JSON.stringify(answer)}`,
        (error: Error) => (REFUSED.test(error.message) ? 'refused' : error.message),
      )

    const verdicts = await Promise.all(attempts.map(async (attempt) => [attempt.join(' '), await refused(attempt)]))

    expect(verdicts).toEqual(attempts.map((attempt) => [attempt.join(' '), 'refused']))
  })

  it('each may read the settings that are checked at the start, and an operator what is there', async () => {
    const urls = [stack.queue, stack.ledger].flatMap((server) => Object.values(server.urls))

    for (const url of urls) expect(await connect(url).config('GET', 'appendonly')).toHaveLength(2)

    const operator = connect(stack.ledger.urls.operator)
    const [, keys] = await operator.scan(0, 'MATCH', '*:payment:*', 'COUNT', 10_000)
    expect(await operator.hget(keys[0] ?? '', 's')).toEqual(expect.any(String))
  })
})

describe('the files of users that are made for an operator’s own servers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pay-users-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const make = (...args: string[]) =>
    execFileSync(process.execPath, ['deploy/redis/make.ts', ...args, folder], { cwd: repository })
  const textOf = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8').trim()

  it('hold hashes and no passwords; made once more, the passwords stay', () => {
    make('--queue', 'q.internal:6380', '--tls')
    const [acl, url] = [textOf('acl', 'queue.acl'), textOf('gateway', 'queue-redis-url')]

    make('--queue', 'q.internal:6380', '--tls')

    expect(url).toMatch(/^rediss:\/\/gateway:[\w-]{43}@q\.internal:6380$/)
    expect(acl).not.toContain(new URL(url).password)
    expect([textOf('acl', 'queue.acl'), textOf('gateway', 'queue-redis-url')]).toEqual([acl, url])
  })

  it.each(['queue', 'ledger'] as const)(
    'are understood by a server, the %s’s: who has no password gets nothing',
    async (kind) => {
      make()
      const server = await startTestRedis({ kind })
      const administrator = connect(server.url)
      for (const line of textOf('acl', `${kind}.acl`).split('\n').reverse()) {
        const [, user = '', ...rules] = line.split(' ')
        await administrator.call('ACL', 'SETUSER', user, 'reset', ...rules)
      }
      const at = new URL(server.url)
      const [stranger, health] = [connect(server.url), connect(`redis://health:any@${at.host}`)]
      const gateway = new URL(textOf('gateway', `${kind}-redis-url`))
      gateway.host = at.host

      expect(await connect(gateway.href).config('GET', 'save')).toEqual(['save', ''])
      expect(await health.ping()).toBe('PONG')
      await expect(health.info()).rejects.toThrow('NOPERM')
      await expect(stranger.call('PING')).rejects.toThrow()
      await server.stop()
    },
  )
})
