import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { canStartCluster, startCluster } from '../../../scripts/redis/cluster.ts'
import { connectFailingFast, connectShards, whenReady } from '../../payment-queue/src/connection.ts'
import { type EveryPaymentOptions, everyPayment } from './every-payment.ts'
import { type PaymentRecord, STATES } from './record.ts'
import { FIELDS, openTestLedger } from './testing.ts'
import { openBench } from './testing-payment.ts'

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

describe.skipIf(!(await canStartCluster()))('every payment of a cluster', () => {
  it('is found once, on whichever node, by somebody who may only read', async () => {
    const cluster = await startCluster({ kind: 'ledger' })
    const shards = Array.from({ length: 6 }, (_, nth) => `s${nth}`)
    const writers = connectShards(connectFailingFast, { url: cluster.url, shards })
    const readers = connectShards(connectFailingFast, { url: cluster.urls.operator, shards })
    await Promise.all([...writers, ...readers].map((redis) => whenReady(redis, 5000)))
    for (const [nth, shard] of shards.entries()) {
      const ledger = await openTestLedger({ redis: writers[nth] ?? writers[0], shard })
      await ledger.admit({ ...bench.another().admission, key: `p_${shard}` })
    }

    const found: string[] = []
    for await (const { key } of everyPayment({ ledger: readers })) found.push(key)

    expect(found.sort()).toEqual(shards.map((shard) => `p_${shard}`))
    for (const redis of [...writers, ...readers]) redis.disconnect()
    await cluster.stop()
  }, 30_000)
})
