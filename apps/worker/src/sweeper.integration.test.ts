import { randomUUID } from 'node:crypto'
import type { PaymentRecord } from '@pay/ledger'
import { NO_SPAN, noTraces, type Traces } from '@pay/service'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { FIELDS } from '../../../packages/ledger/src/testing.ts'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'
import type { ReversePayment } from './reverse-payment.ts'
import { createSweeper } from './sweeper.ts'
import { silentLog, times } from './testing.ts'
import { openWorkshop, RESERVED } from './testing-workshop.ts'

const workshop = await openWorkshop({ ledgerUrl: inject('ledgerRedisUrl'), queueUrl: inject('queueRedisUrl') })
const { ledger, redis, shard, clock } = workshop
let payment = workshop.payment()

beforeEach(async () => {
  payment = workshop.payment()
  await redis.del(`{${shard}}:open`, `{${shard}}:sweeper`)
})

afterAll(workshop.close)

/** A sweeper that only remembers what would be done, and with which payment. */
function sweeping(changes: Partial<Sweeping> = {}) {
  const { over = ledger, worker = 'w1', inHand = async () => {}, traces = noTraces } = changes
  const done: [what: string, key: string][] = []
  const remember = (what: string) => async (record: PaymentRecord) => {
    done.push([what, record.key])
    await inHand(record)
  }
  const books = { withdraw: remember('withdraw') } as unknown as Books
  const adopt = { takeOver: remember('take over'), askAgain: remember('ask again') } as unknown as AdoptPayment
  const reversal: ReversePayment = { reverse: remember('reverse'), askAgain: remember('ask about the reversal') }
  const sweeper = createSweeper({
    ledger: over,
    books,
    adopt,
    reversal,
    worker,
    times,
    clock,
    traces,
    log: silentLog,
  })
  const { sweep, rest, idle } = sweeper
  /** One sweep, until what it began has ended. */
  const all = async () => {
    await sweep()
    await idle()
    return done
  }
  return { done, sweep, rest, idle, all }
}

type Sweeping = {
  over: typeof ledger
  worker: string
  inHand: (record: PaymentRecord) => Promise<void>
  traces: Traces
}

describe('a sweeper that rests', () => {
  it('lets another worker take its place, and takes it again where there is none', async () => {
    const [one, two] = [sweeping(), sweeping({ worker: 'w2' })]
    await payment.unconfirmed()
    await one.sweep()
    one.rest()
    clock.pass(times.leaseMs)

    expect(await one.all()).toEqual([])
    expect(await two.all()).toEqual([['ask again', payment.key]])
    clock.pass(times.leaseMs + 2 * times.sweepMs)
    expect(await one.all()).toEqual([['ask again', payment.key]])
  })
})

describe('the sweeper', () => {
  it('tells of each visit in a trace of its own, with a link to the attempt, also when it fails', async () => {
    await payment.unconfirmed()
    clock.pass(times.leaseMs)
    const told: unknown[] = []
    const begin: Traces['begin'] = ({ name, fields, heard, parent }) => {
      told.push([name, fields?.payment, heard, parent])
      const follows = ({ key, attempt }: { key: string; attempt: number }) => void told.push(['follows', key, attempt])
      return { ...NO_SPAN, follows, end: () => void told.push('ended') }
    }

    await sweeping({ traces: { ...noTraces, begin }, inHand: () => Promise.reject(new Error('away')) }).all()

    const { key } = payment
    expect(told).toEqual([['sweep unconfirmed', key, undefined, undefined], ['follows', key, 1], 'ended'])
  })

  it('withdraws an accepted payment once SEND_BY has passed, and not before', async () => {
    await payment.admit()
    clock.pass(times.sendByMs - 1)
    expect(await sweeping().all()).toEqual([])
    clock.pass(1)

    expect(await sweeping().all()).toEqual([['withdraw', payment.key]])
  })

  it.each<[string, string, () => Promise<unknown>]>([
    ['takes over a payment in sending', 'take over', () => payment.fenced('w0.a')],
    ['asks again about an unconfirmed payment', 'ask again', () => payment.unconfirmed()],
    ['reverses an approval that was left open', 'reverse', () => payment.unheard()],
    [
      'asks what became of a reversal',
      'ask about the reversal',
      async () => {
        await payment.unheard()
        await ledger.reverse(payment, { owner: 'w0.a', reversal: '000000000009' })
      },
    ],
  ])('%s, when that is due', async (_, what, given) => {
    await given()
    clock.pass(times.leaseMs)

    expect(await sweeping().all()).toEqual([[what, payment.key]])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['was withdrawn', async () => payment.admit().then(() => ledger.withdraw(payment.attempt, { state: 'not_sent' }))],
    ['was declined', () => payment.finished({ state: 'declined', code: '30002' })],
    ['a person must look at', () => payment.finished({ state: 'review' })],
  ])('leaves a payment alone that %s, also one that is still on its list', async (_, given) => {
    await given()
    await redis.zadd(`{${shard}}:open`, 0, payment.key)

    expect(await sweeping().all()).toEqual([])

    expect(await payment.dueAt()).toBe(clock.now() + times.leaseMs)
  })

  it('looks at a payment again only after a while, so that others get their turn', async () => {
    await payment.admit()
    clock.pass(times.sendByMs)
    const sweeper = sweeping()
    await sweeper.all()

    expect(await sweeper.all()).toHaveLength(1)
    clock.pass(times.leaseMs)
    expect(await sweeper.all()).toHaveLength(2)
  })

  it('is one of many, and the only one at work', async () => {
    await payment.admit()
    clock.pass(times.sendByMs)
    await sweeping({ worker: 'another' }).sweep()

    expect(await sweeping({ worker: 'w1' }).all()).toEqual([])
  })

  it('looks at a payment that takes long once, however often it sweeps', async () => {
    await payment.admit()
    clock.pass(times.sendByMs)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const sweeper = sweeping({ inHand: () => ended })

    await sweeper.sweep()
    await sweeper.sweep()
    await expect.poll(() => sweeper.done).toHaveLength(1)
    await sweeper.sweep()

    expect(sweeper.done).toHaveLength(1)
    end()
    await sweeper.idle()
  })

  it('finds a payment behind a hundred others that are in hand for long', async () => {
    for (let nth = 0; nth < 100; nth += 1) {
      const other = workshop.payment()
      await other.admit()
      await redis.zadd(`{${shard}}:open`, nth - 1000, other.key)
    }
    await payment.admit()
    clock.pass(times.sendByMs)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const sweeper = sweeping({ inHand: () => ended })

    await sweeper.sweep()
    await sweeper.sweep()

    await expect.poll(() => sweeper.done.map(([, key]) => key)).toContain(payment.key)
    end()
    await sweeper.idle()
  })

  it('goes on with the others when one cannot be looked at', async () => {
    const unreadable = workshop.payment()
    await unreadable.admit()
    await payment.admit()
    await redis.hset(`{${shard}}:payment:${unreadable.key}`, FIELDS.state, 'future')
    clock.pass(times.sendByMs)

    expect(await sweeping().all()).toEqual([['withdraw', payment.key]])

    expect(await unreadable.dueAt()).toBe(clock.now() + times.leaseMs)
  })

  it('survives a ledger that does not answer', async () => {
    const away = { ...ledger, due: () => Promise.reject(new Error('away')) }

    expect(await sweeping({ over: away }).all()).toEqual([])
  })
})

describe('a payment that is idle in the books', () => {
  it('is not the sweeper’s business once it is approved and somebody heard', async () => {
    await payment.finished({ state: 'approved', id: RESERVED })
    clock.pass(times.listeningMs)

    expect(await sweeping().all()).toEqual([])
  })

  it('is taken off the list when it has no record any more', async () => {
    const key = `p_${randomUUID()}`
    await redis.zadd(`{${shard}}:open`, 0, key)

    await sweeping().all()

    expect(await redis.zscore(`{${shard}}:open`, key)).toBeNull()
  })
})
