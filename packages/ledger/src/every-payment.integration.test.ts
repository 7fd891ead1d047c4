import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { canStartCluster, type RunningCluster, startCluster } from '../../../scripts/redis/cluster.ts'
import {
  connectFailingFast,
  connectShards,
  type ShardConnections,
  whenReady,
} from '../../payment-queue/src/connection.ts'
import { type Book, readBook } from './book.ts'
import { type EveryPaymentOptions, everyPayment } from './every-payment.ts'
import { createLedger } from './ledger.ts'
import { type PaymentRecord, STATES } from './record.ts'
import { FIELDS, openTestLedger, testTimes } from './testing.ts'
import { ENTRY, OWNER, openBench, TOKEN } from './testing-payment.ts'

const url = inject('ledgerRedisUrl')
const bench = await openBench(url)

beforeEach(async () => {
  const left = await bench.redis.keys(bench.key('payment:*'))
  if (left.length > 0) await bench.redis.del(...left)
})

afterAll(bench.close)

async function all(options: Partial<EveryPaymentOptions> = {}): Promise<PaymentRecord[]> {
  const found: PaymentRecord[] = []
  for await (const record of everyPayment({ ledger: [bench.redis], shards: [bench.shard], ...options })) {
    found.push(record)
  }
  return found
}

const keysOf = (records: readonly { key: string }[]) => records.map(({ key }) => key).sort()

describe('every payment', () => {
  it.each(STATES)('is told as the ledger’s own script tells it, when it is %s', async (state) => {
    const payment = bench.another()
    await payment.reach(state)

    const [record, ...others] = await all()

    // Of the server's clock: the script was given another one.
    expect(record && { ...record, now: bench.clock.ms }).toEqual(await payment.record())
    expect(others).toEqual([])
  })

  it('is told with what PayConex said, and what a person wants', async () => {
    const [asked, late] = [bench.another(), bench.another()]
    await asked.reach('unconfirmed')
    await asked.finish({ state: 'unconfirmed', dueMs: 2000, asked: 1, said: 'not_found' })
    await late.reach('approved')
    bench.pass(testTimes.listeningMs)
    await late.takeBack()

    const found = await all()

    expect(found.find(({ key }) => key === asked.key)?.said).toEqual((await asked.record()).said)
    expect(found.find(({ key }) => key === late.key)).toMatchObject({ state: 'approved', wanted: true })
  })

  it('is told without what was sealed', async () => {
    await bench.another({ sealedCredentials: 'what was sealed' }).reach('unconfirmed')

    expect(JSON.stringify(await all())).not.toContain('what was sealed')
  })

  it('is found among thousands, page by page, also while others come and go', async () => {
    const payments = Array.from({ length: 3000 }, () => bench.another())
    await Promise.all(payments.map(({ admit }) => admit()))
    const told: [number, number][] = []
    let isOver = false
    const passing = (async () => {
      while (!isOver) await bench.another().reach('not_sent')
    })()

    const found = new Set(keysOf(await all({ pageSize: 100, onProgress: (...said) => void told.push(said) })))
    isOver = true
    await passing

    for (const { key } of payments) expect(found).toContain(key)
    expect(told.length).toBeGreaterThan(10)
    expect(told.at(-1)?.[0]).toBeGreaterThanOrEqual(3000)
    expect(told.at(-1)?.[1]).toBeGreaterThanOrEqual(3000)
  })

  it('can be chosen by state, account and time', async () => {
    const [old, young] = [bench.another({ account: 'a1' }), bench.another({ account: 'a2' })]
    await old.reach('declined')
    bench.pass(1000)
    const since = bench.clock.ms
    await young.reach('unconfirmed')

    expect(keysOf(await all())).toEqual(keysOf([old, young]))
    expect(keysOf(await all({ states: new Set(['declined', 'review']) }))).toEqual([old.key])
    expect(keysOf(await all({ account: 'a2' }))).toEqual([young.key])
    expect(keysOf(await all({ since }))).toEqual([young.key])
    expect(keysOf(await all({ until: since }))).toEqual([old.key])
  })

  it('that a newer version wrote stops the walk, or is named and left out', async () => {
    const [unreadable, readable] = [bench.another(), bench.another()]
    await unreadable.admit()
    await readable.admit()
    await bench.redis.hset(bench.key(`payment:${unreadable.key}`), FIELDS.state, 'of a later version')
    const named: string[] = []

    await expect(all()).rejects.toThrow('what this version does not know')
    expect(keysOf(await all({ onUnreadable: (key) => void named.push(key) }))).toEqual([readable.key])
    expect(named).toEqual([unreadable.key])
  })

  it('of other shards on the same server is not among them', async () => {
    const other = await openBench(url)
    await other.another().admit()
    const mine = bench.another()
    await mine.admit()

    expect(keysOf(await all())).toEqual([mine.key])
    expect(await all({ ledger: [bench.redis, other.redis], shards: [bench.shard, other.shard] })).toHaveLength(2)
    other.close()
  })

  it('cannot be told while the ledger is away', async () => {
    const away = new Redis(1, { maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true })
    away.on('error', () => undefined)

    await expect(all({ ledger: [away] })).rejects.toThrow()
  })
})

describe.skipIf(!(await canStartCluster()))('in a cluster', () => {
  const shards = Array.from({ length: 6 }, (_, nth) => `s${nth}`)
  const opened: Redis[] = []
  let cluster: RunningCluster

  beforeAll(async () => {
    cluster = await startCluster({ kind: 'ledger' })
  }, 30_000)

  afterAll(async () => {
    for (const redis of opened) redis.disconnect()
    await cluster?.stop()
  })

  async function connect(url: string): Promise<ShardConnections> {
    const all = connectShards(connectFailingFast, { url, shards })
    opened.push(...all)
    await Promise.all(all.map((redis) => whenReady(redis, 5000)))
    return all
  }

  it('every payment is found once, on whichever node, by somebody who may only read', async () => {
    const [writers, readers] = [await connect(cluster.url), await connect(cluster.urls.operator)]
    for (const [nth, shard] of shards.entries()) {
      const ledger = await openTestLedger({ redis: writers[nth] ?? writers[0], shard })
      await ledger.admit({ ...bench.another().admission, key: `p_${shard}` })
    }

    const found: string[] = []
    for await (const { key } of everyPayment({ ledger: readers })) found.push(key)

    expect(found.sort()).toEqual(shards.map((shard) => `p_${shard}`))
  })

  it('a cashier resolves a payment on its node, and its act is in the audit stream there', async () => {
    const [writers, cashiers] = [await connect(cluster.urls.worker), await connect(cluster.urls.cashier)]
    for (const [nth, shard] of shards.entries()) {
      const workers = await openTestLedger({ redis: writers[nth] ?? writers[0], shard })
      const redis = cashiers[nth] ?? cashiers[0]
      const book = (await readBook({ redis, shard })) as Book
      const desk = createLedger({ redis, book, shard, times: testTimes })
      const key = `p_by_hand_${shard}`
      await workers.admit({ ...bench.another().admission, key })
      await workers.fence({ key, attempt: 1 }, { owner: OWNER, reserved: `0000000${shard}` })
      await workers.finish({ key, attempt: 1 }, OWNER, { state: 'review' })
      const seen = (await workers.read(key)) as PaymentRecord

      const reply = await desk.resolve(
        { seen, token: TOKEN, entry: ENTRY },
        { state: 'approved', id: `0000000${shard}` },
      )

      expect(reply?.verdict).toBe('resolved')
      expect(await cashiers[nth]?.xrange(`{${shard}}:audit`, '-', '+')).toHaveLength(1)
    }
  })
})
