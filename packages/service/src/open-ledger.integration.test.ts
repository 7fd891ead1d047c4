import { randomBytes } from 'node:crypto'
import { shardOf } from '@pay/ledger'
import { sealCredentials, sealKeys } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { payments } from '../../payment-queue/src/testing.ts'
import { ConfigurationError, readEnvironment } from './environment.ts'
import type { Log } from './log.ts'
import { openLedger } from './open-ledger.ts'
import { sharedVariables } from './shared-variables.ts'
import { openStores } from './stores.ts'
import { createTimes } from './times.ts'

/** A ledger's book has a fixed name, so it gets two servers that nobody else uses. */
let servers: RunningRedis[]
let queue: Redis
let ledgerRedis: Redis
const opened: (() => unknown)[] = []
const KEY = randomBytes(32).toString('base64')

beforeAll(async () => {
  servers = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  queue = new Redis(servers[0]?.url ?? '')
  ledgerRedis = new Redis(servers[1]?.url ?? '')
})

beforeEach(() => Promise.all([queue.flushall(), ledgerRedis.flushall()]))

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

afterAll(async () => {
  queue.disconnect()
  ledgerRedis.disconnect()
  await Promise.all(servers.map((server) => server.stop()))
})

/** A process of ours, as far as its ledger goes. */
async function start(changes: Record<string, string> = {}) {
  const env = readEnvironment(z.object(sharedVariables), {
    QUEUE_REDIS_URL: servers[0]?.url,
    LEDGER_REDIS_URL: servers[1]?.url,
    SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    LEDGER_KEY: KEY,
    PAYCONEX_URL: 'http://127.0.0.1:8090',
    TIME_SCALE: '0.05',
    ...changes,
  })
  const ignore = () => undefined
  const warnings: (string | undefined)[] = []
  const warn: Log['warn'] = ({ setting }) => void warnings.push(setting)
  const log: Log = { debug: ignore, info: ignore, error: ignore, warn }
  const wrong: ConfigurationError[] = []
  const stores = await openStores(env, log, ignore)
  opened.push(stores.close)
  const onWrong = (error: ConfigurationError) => void wrong.push(error)
  const { ledger: all, ledgers, close } = await openLedger({ env, stores, times: createTimes(env), log, onWrong })
  opened.push(close)
  return { all, ledger: ledgers[0], ledgers, wrong, warnings, stop: close }
}

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it was not refused',
    (error: unknown) => (error instanceof ConfigurationError ? error.problems.join() : Promise.reject(error)),
  )

type Process = Awaited<ReturnType<typeof start>>

const WHO = { account: '120615000001', method: 'charge', custom_id: 'tx-1' } as const

/** One payment is sent. */
async function send({ ledger }: Process, key = 'p_1') {
  await ledger.admit({ key, fingerprint: 'one', seat: 'g1:1', sealedCredentials: '', ...WHO })
  return ledger.fence({ key, attempt: 1 }, { owner: 'w1.a' })
}

/** What this process has seen is on the queue's server. */
const noted = (fences: number) => expect.poll(() => queue.hget('{s0}:ledger-seen', 'fences')).toBe(String(fences))

describe('the ledger of a process', () => {
  it('is begun by the first, and the same for all that follow', async () => {
    const [one, two] = [await start(), await start()]
    await send(one)

    expect(await two.ledger.read('p_1')).toMatchObject({ state: 'sending' })
  })

  it('is refused by name when it was begun with another LEDGER_KEY, without a word about either', async () => {
    await start()
    const other = randomBytes(32).toString('base64')

    const problem = await refusal(start({ LEDGER_KEY: other }))

    expect(problem).toMatch(/^LEDGER_REDIS_URL: not this ledger: it was begun with another LEDGER_KEY/)
    expect(problem).toMatch(
      /they change only with a new, empty ledger, when every payment of this one is over \(README/,
    )
    expect(problem).not.toContain(other)
    expect(problem).not.toContain(KEY)
  })

  it('is refused by name when it was begun with another number of shards, and no further book is begun', async () => {
    await start({ SHARDS: '2' })

    for (const SHARDS of ['1', '3']) {
      expect(await refusal(start({ SHARDS }))).toMatch(/begun with another LEDGER_KEY, SHARDS or version/)
    }
    expect((await ledgerRedis.keys('*:ledger')).sort()).toEqual(['{s0}:ledger', '{s1}:ledger'])
  })

  it('has a book for each shard: what was sent in one is counted there, and one that went back is noticed', async () => {
    const process = await start({ SHARDS: '3' })
    const key = Array.from({ length: 9 }, (_, nth) => `p_${nth}`).find((each) => shardOf(each, 3) === 2) ?? ''

    await process.all.admit({ key, fingerprint: 'one', seat: 'g1:1', sealedCredentials: '', ...WHO })
    await process.ledgers[2]?.fence({ key, attempt: 1 }, { owner: 'w1.a' })

    expect(await process.all.read(key)).toMatchObject({ state: 'sending' })
    const fences = ['s0', 's1', 's2'].map((shard) => ledgerRedis.hget(`{${shard}}:ledger`, 'fences'))
    expect(await Promise.all(fences)).toEqual(['0', '0', '1'])
    await ledgerRedis.hset('{s2}:ledger', 'fences', 0)
    await expect.poll(() => process.wrong.length).toBeGreaterThan(0)
    expect(process.wrong[0]?.message).toMatch(
      /^the environment cannot be used:\n {2}- LEDGER_REDIS_URL: not this ledger/,
    )
  })

  it('is begun with another LEDGER_KEY where both servers are empty', async () => {
    await (await start()).stop()
    await Promise.all([queue.flushall(), ledgerRedis.flushall()])

    await expect(start({ LEDGER_KEY: randomBytes(32).toString('base64') })).resolves.toBeDefined()
  })

  it('is refused by name when another ledger was last seen, whoever saw it', async () => {
    await send(await start())
    await noted(1)
    await ledgerRedis.flushall()

    expect(await refusal(start())).toMatch(/it is another one than was last seen .*docs\/reliability\.md/)
  })

  it('is refused by name when it has gone back to before a payment was sent', async () => {
    const first = await start()
    await send(first)
    await noted(1)
    await first.stop()
    await ledgerRedis.hset('{s0}:ledger', 'fences', 0)

    expect(await refusal(start())).toMatch(/it has forgotten payments that were sent .*docs\/reliability\.md/)
  })

  it('that goes back while it runs ends the process, by name', async () => {
    const { ledger, wrong } = await start()
    await send({ ledger } as Process)

    await ledgerRedis.flushall()

    await expect(ledger.read('p_1')).rejects.toThrow('it is another one')
    const named = /^LEDGER_REDIS_URL: not this ledger: it is another one, or has forgotten/
    await expect.poll(() => wrong[0]?.problems).toEqual([expect.stringMatching(named)])
  })

  it('is noted again by those who run when the queue’s server has lost its memory', async () => {
    await send(await start())
    await noted(1)

    await queue.flushall()

    await noted(1)
  })

  it('is noted a last time by a process that ends', async () => {
    const one = await start({ TIME_SCALE: '1' })
    await send(one)

    await one.stop()

    await noted(1)
  })
})

describe('a ring of keys', () => {
  const keyText = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
  const [k1, k2, otherK1] = [keyText('k1'), keyText('k2'), keyText('k1')]

  /** So many payments are open whose credentials were sealed with this ring. */
  async function given(ring: string, count = 1) {
    const { ledger, stop } = await start({ SEAL_KEYS: ring })
    const { credentials } = payments.visaCharge
    for (let nth = 0; nth < count; nth += 1) {
      const key = `p_${randomBytes(8).toString('hex')}`
      const sealedCredentials = sealCredentials(credentials, key, sealKeys.parse(ring))
      const who = { account: '120615000001', method: 'charge', custom_id: 'tx-1' } as const
      await ledger.admit({ key, fingerprint: 'one', seat: 'g1:1', sealedCredentials, ...who })
    }
    await stop()
    return ledger
  }

  it.each([
    ['has the one, wherever it stands', { SEAL_KEYS: `${k2},${k1}` }],
    ['lacks the one that is said to be lost', { SEAL_KEYS: k2, LOST_SEAL_KEYS: 'k1' }],
    ['has another one under the name of the one that is lost', { SEAL_KEYS: otherK1, LOST_SEAL_KEYS: 'k1' }],
  ])('that %s under which open payments were sealed will do', async (_, env) => {
    await given(k1, 2)

    await expect(start(env)).resolves.toMatchObject({ warnings: [] })
  })

  it.each([
    ['lacks one', k2, 'SEAL_KEYS: k1 is missing, and open payments are sealed under it (2): put it back'],
    [
      'has another one under its name',
      `${k2},${otherK1}`,
      'SEAL_KEYS: k1 is another key than it was, and open payments are sealed under it (2): put it back',
    ],
  ])('that %s under which open payments were sealed is refused, and relaxed mode warns', async (_, ring, problem) => {
    await given(k1, 2)

    expect(await refusal(start({ SEAL_KEYS: ring }))).toContain(problem)
    const { warnings } = await start({ SEAL_KEYS: ring, MODE: 'relaxed' })
    expect(warnings).toEqual([expect.stringContaining(problem)])
  })

  it('need not have the key of payments that are over', async () => {
    const ledger = await given(k1)
    for (const key of await ledgerRedis.zrange('{s0}:open', 0, '-1')) {
      await ledger.withdraw({ key, attempt: 1 }, { state: 'not_sent' })
    }

    await expect(start({ SEAL_KEYS: k2 })).resolves.toMatchObject({ warnings: [] })
  })

  it('is not doubted for a payment that was altered, as long as its key opens another', async () => {
    await given(k1, 2)
    const [key] = await ledgerRedis.zrange('{s0}:open', 0, '0')
    await ledgerRedis.hset(`{s0}:payment:${key}`, 'credentials', '2.k1.AAAA')

    await expect(start({ SEAL_KEYS: k1 })).resolves.toMatchObject({ warnings: [] })
  })

  it('is not asked for the key of what nobody ever sealed', async () => {
    await given(k1)
    const [key] = await ledgerRedis.zrange('{s0}:open', 0, '0')
    await ledgerRedis.hset(`{s0}:payment:${key}`, 'credentials', 'k9 4111111111111111')

    await expect(start({ SEAL_KEYS: k1 })).resolves.toMatchObject({ warnings: [] })
  })
})

describe('a process whose ledger’s replicas must acknowledge every send', () => {
  it('may send only what they have, and is told so by a server that cannot wait for them', async () => {
    const [known] = (await ledgerRedis.command('INFO', 'WAITAOF')) as unknown[]
    // A server that is believed by hand is not asked beforehand what it can do.
    const demanding = await start({ LEDGER_REPLICAS_ACK: '1', REDIS_CHECKED_BY_HAND: 'true' })

    const verdict = await send(demanding).then(
      (reply) => reply?.verdict,
      (error: Error) => error.message.toLowerCase(),
    )

    // There are no replicas here.
    expect(verdict).toEqual(known ? 'refused' : expect.stringContaining('waitaof'))
  })
})
