import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { testTimes } from './testing.ts'
import { openBench } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const { ledger } = bench
const due = (worker = 'w1', limit = 10) => ledger.due(worker, limit)

beforeEach(() => bench.redis.del(bench.key('open'), bench.key('sweeper')))

afterAll(bench.close)

describe('the sweeper’s list', () => {
  it('names a payment when it is due, not before', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(testTimes.sendByMs - 1)
    expect(await due()).toEqual([])
    bench.pass(1)

    expect(await due()).toEqual([payment.key])
  })

  it('is for one worker at a time, and for another once that one’s lease has run out', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(testTimes.sendByMs)
    await due('w1')

    expect(await due('w2')).toEqual([])
    bench.pass(testTimes.leaseMs)
    expect(await due('w2')).toEqual([payment.key])
    expect(await due('w1')).toEqual([])
  })

  it('is for another worker at once when the clock went back', async () => {
    await due('w1')
    bench.pass(-1)
    const payment = bench.payment()
    await bench.redis.zadd(bench.key('open'), 0, payment.key)

    expect(await due('w2')).toEqual([payment.key])
  })

  it('names no more than were asked for, the longest due first', async () => {
    const [one, two, three] = [bench.payment(), bench.payment(), bench.payment()]
    for (const [nth, { key }] of [two, three, one].entries()) await bench.redis.zadd(bench.key('open'), nth, key)

    expect(await due('w1', 2)).toEqual([two.key, three.key])
  })
})

describe('a payment that was looked at', () => {
  it('and is still due makes room for others for a while', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(testTimes.sendByMs)

    await ledger.postpone(payment.key, 1000)

    expect(await due()).toEqual([])
    bench.pass(1000)
    expect(await due()).toEqual([payment.key])
  })

  it('keeps the time that it was given meanwhile', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish({ state: 'unconfirmed', dueMs: 60_000 })

    await ledger.postpone(payment.key, 1000)

    expect(await payment.dueAt()).toBe(bench.clock.ms + 60_000)
  })

  it('and has no record any more is taken off the list', async () => {
    const payment = bench.payment()
    await bench.redis.zadd(bench.key('open'), 1, payment.key)

    await ledger.postpone(payment.key, 1000)

    expect(await payment.dueAt()).toBeNull()
  })

  it('and is over is not put on the list again', async () => {
    const payment = bench.payment()
    await payment.reach('declined')

    await ledger.postpone(payment.key, 1000)

    expect(await payment.dueAt()).toBeNull()
  })
})
