import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { testTimes } from './testing.ts'
import { openBench, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const { ledger } = bench
const survey = (options: { keyIds?: string[]; pageSize?: number; pages?: number } = {}) =>
  ledger.survey('w1', { keyIds: [], ...options })
/** Takes the sweeper's lease. */
const sweep = (worker = 'w1') => ledger.due(worker, 0)

beforeEach(async () => {
  await bench.redis.del(...['open', 'sweeper', 'review', 'late', 'keys'].map((name) => bench.key(name)))
  await sweep()
})

afterAll(bench.close)

/** Some payments, each brought into a state. */
async function payments(...states: Parameters<ReturnType<typeof bench.payment>['reach']>[0][]) {
  const all = states.map(() => bench.another())
  for (const [nth, payment] of all.entries()) await payment.reach(states[nth] ?? 'accepted')
  // What it took to get there has taken its time.
  await sweep()
  return all
}

describe('a survey', () => {
  it('of an empty shard finds nothing', async () => {
    const empty = { open: {}, unseen: 0, overdue: 0, oldestUnconfirmedMs: 0, review: 0, late: 0, keyAgesMs: new Map() }

    expect(await survey()).toEqual(empty)
  })

  it('counts what is open by its state, and what is over not', async () => {
    await payments('accepted', 'sending', 'sending', 'unconfirmed', 'declined', 'not_sent')

    expect(await survey()).toMatchObject({ open: { accepted: 1, sending: 2, unconfirmed: 1 }, unseen: 0, review: 0 })
  })

  it('is told only to the worker that holds the sweeper’s lease, as long as it holds it', async () => {
    expect(await ledger.survey('w2', { keyIds: [] })).toBeUndefined()
    bench.pass(testTimes.leaseMs)

    expect(await survey()).toBeUndefined()
    await sweep('w2')
    expect(await ledger.survey('w2', { keyIds: [] })).toBeDefined()
  })

  it('is told to nobody when nobody sweeps', async () => {
    await bench.redis.del(bench.key('sweeper'))

    expect(await survey()).toBeUndefined()
  })

  it('is told to nobody when the clock went back behind the lease', async () => {
    bench.pass(-1)

    expect(await survey()).toBeUndefined()
    bench.pass(1)
    expect(await survey()).toBeDefined()
  })

  it('counts an approval that nobody has heard of yet, and is not kept up by one without a record', async () => {
    const payment = bench.another()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ state: 'approved', id: payment.ids.reserved })
    await bench.redis.zadd(bench.key('open'), bench.clock.ms, 'p_gone')

    expect(await survey()).toMatchObject({ open: { approved: 1 }, unseen: 1, oldestUnconfirmedMs: 0 })
  })

  it('says how old the unconfirmed payment is that has been so the longest', async () => {
    const [sent, old, young, younger] = [bench.another(), bench.another(), bench.another(), bench.another()]
    await sent.reach('sending')
    bench.pass(60_000)
    await old.reach('sending')
    bench.pass(60_000)
    for (const payment of [young, younger]) await payment.reach('sending')
    await young.finish({ ...UNCONFIRMED, dueMs: 1000 })
    await old.finish({ ...UNCONFIRMED, dueMs: 3000 })
    await younger.finish({ ...UNCONFIRMED, dueMs: 9000 })
    const { first } = await old.record()
    bench.pass(1000)
    await sweep()

    expect(await survey()).toMatchObject({ oldestUnconfirmedMs: bench.clock.ms - first })
  })

  it('puts pages together, and only counts what lies beyond the last', async () => {
    await payments('accepted', 'accepted', 'accepted', 'sending', 'unconfirmed')
    const all = { accepted: 3, sending: 1, unconfirmed: 1 }

    expect(await survey({ pageSize: 2 })).toMatchObject({ open: all, unseen: 0 })
    expect(await survey({ pageSize: 2, pages: 1 })).toMatchObject({ unseen: 3 })
  })

  it('counts as overdue what the sweeper has not looked at for as long as a lease lives', async () => {
    await payments('accepted')
    bench.pass(testTimes.sendByMs + testTimes.leaseMs - 1)
    await sweep()
    expect(await survey()).toMatchObject({ overdue: 0 })
    bench.pass(1)

    expect(await survey()).toMatchObject({ overdue: 1 })
  })

  it('counts those in review until a person has decided, also when nobody says so', async () => {
    const [stays, decided] = await payments('review', 'review')
    expect(await survey()).toMatchObject({ review: 2, open: {} })

    await bench.redis.hset(bench.key(`payment:${decided?.key}`), { s: 'a' })

    expect(await survey()).toMatchObject({ review: 1 })
    expect(await bench.redis.zrange(bench.key('review'), '0', '-1')).toEqual([stays?.key])
  })

  it('finds on the list of those in review none that came to another end', async () => {
    const [inReview] = await payments('review', 'declined', 'not_sent', 'approved', 'unconfirmed')

    expect(await bench.redis.zrange(bench.key('review'), '0', '-1')).toEqual([inReview?.key])
  })

  it('counts late approvals for as long as they are remembered', async () => {
    const payment = bench.another()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ state: 'approved', id: payment.ids.reserved })
    await payment.keep()
    await sweep()
    expect(await survey()).toMatchObject({ late: 1 })
    bench.pass(testTimes.retentionMs + 1)
    await sweep()

    expect(await survey()).toMatchObject({ late: 0 })
  })

  it('says for how long each key has been known here', async () => {
    const [first, second] = [randomUUID(), randomUUID()]
    await survey({ keyIds: [first] })
    bench.pass(5000)
    await sweep()

    const told = await survey({ keyIds: [second, first] })

    expect([...(told?.keyAgesMs ?? [])]).toEqual([
      [second, 0],
      [first, 5000],
    ])
  })
})
