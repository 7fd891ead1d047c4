import { afterAll, describe, expect, inject, it } from 'vitest'
import type { PaymentRecord } from './record.ts'
import { type ScriptName, scriptNames } from './scripts.ts'
import { testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, type Payment, RESERVED, UNCONFIRMED } from './testing-payment.ts'

/** The answer to a command can be lost, and a command can arrive late: each may come twice. */
const bench = await openBench(inject('ledgerRedisUrl'))
const { ledger } = bench

afterAll(bench.close)

type Twice = {
  given: (payment: Payment) => Promise<unknown>
  step: (payment: Payment) => Promise<unknown>
  /** What the second answer is, where that is not the first again. */
  second?: object
}

/** A step by somebody who saw the payment before the first time. */
function once(step: (payment: Payment, seen: PaymentRecord) => Promise<unknown>) {
  const seen = new Map<string, PaymentRecord>()
  return async (payment: Payment) => {
    const first = seen.get(payment.key) ?? (await payment.record())
    seen.set(payment.key, first)
    return step(payment, first)
  }
}

const verdictOf = (reply: unknown) => (reply as { verdict?: string } | undefined)?.verdict

const everyScript: Record<ScriptName, Twice> = {
  admit: { given: async () => undefined, step: (payment) => payment.admit(), second: { verdict: 'join' } },
  leave: { given: (payment) => payment.reach('accepted'), step: (payment) => payment.leave() },
  withdraw: {
    given: (payment) => payment.reach('accepted'),
    step: (payment) => payment.withdraw(),
    // Its record says that what was asked for has happened.
    second: { verdict: 'refused', record: { state: 'not_sent' } },
  },
  fence: { given: (payment) => payment.reach('accepted'), step: (payment) => payment.fence() },
  repeat: {
    given: async (payment) => {
      await bench.prove(payment.admission.account)
      await payment.reach('sending')
      bench.pass(testTimes.repeatAfterMs)
    },
    step: (payment) => payment.repeat(),
    // The permission whose answer was lost is not given again: nothing is sent.
    second: { verdict: 'refused', record: { state: 'sending' } },
  },
  finish: { given: (payment) => payment.reach('sending'), step: (payment) => payment.finish(APPROVAL) },
  takeOver: {
    given: async (payment) => {
      await payment.reach('sending')
      await payment.silence()
    },
    step: (payment) => payment.takeOver('w2.b'),
  },
  release: {
    given: (payment) => payment.reach('sending'),
    step: (payment) => payment.release(),
    second: { verdict: 'refused', record: { state: 'sending' } },
  },
  reverse: {
    given: async (payment) => {
      await payment.reach('approved')
      bench.pass(testTimes.listeningMs)
    },
    step: (payment) => payment.reverse(),
  },
  keep: { given: (payment) => payment.reach('approved'), step: (payment) => payment.keep() },
  due: { given: async () => undefined, step: () => ledger.due('w1', 1) },
  postpone: { given: (payment) => payment.reach('accepted'), step: ({ key }) => ledger.postpone(key, 1000) },
  read: { given: (payment) => payment.reach('sending'), step: (payment) => payment.record() },
  renew: { given: async () => undefined, step: () => ledger.renewLease('w1') },
  // What a person saw is what it was before.
  resolve: {
    given: (payment) => payment.reach('review'),
    step: once((payment, seen) => payment.resolve({ state: 'approved', id: RESERVED }, { seen })),
  },
  askNow: {
    given: (payment) => payment.reach('unconfirmed'),
    step: once((payment, seen) => payment.askNow('', { seen })),
  },
  takeBack: {
    given: async (payment) => {
      await payment.reach('approved')
      bench.pass(testTimes.listeningMs)
    },
    step: once((payment, seen) => payment.takeBack({ seen })),
  },
  survey: { given: () => ledger.due('w1', 1), step: () => ledger.survey('w1', { keyIds: ['k1'] }) },
}

describe('a step that comes twice', () => {
  it.each(scriptNames)('(%s) changes nothing the second time', async (name) => {
    const { given, step, second } = everyScript[name]
    const payment = bench.payment()
    await given(payment)
    const first = await step(payment)
    const [before, dueAt] = [await payment.raw(), await payment.dueAt()]

    const again = await step(payment)

    expect(again).toMatchObject(second ?? (verdictOf(first) ? { verdict: verdictOf(first) } : {}))
    expect(await payment.raw()).toEqual(before)
    expect(await payment.dueAt()).toEqual(dueAt)
    expect((await payment.audited()).length).toBeLessThanOrEqual(1)
  })

  it('(finish, of one that stays unconfirmed) counts the look-up once', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')
    const look = () => payment.finish({ ...UNCONFIRMED, asked: 1 })
    await look()

    expect((await look())?.verdict).toBe('finished')

    expect(await payment.record()).toMatchObject({ state: 'unconfirmed', asked: 1, owner: OWNER })
  })

  it('(finish, of a reversal that is asked about again) leaves it nobody’s', async () => {
    const payment = bench.payment()
    await payment.reach('reversing')
    const look = () => payment.finish({ state: 'reversing', dueMs: 2000, asked: 1 })
    await look()
    const before = await payment.raw()

    expect(await look()).toMatchObject({ verdict: 'refused', record: { state: 'reversing' } })

    expect(await payment.raw()).toEqual(before)
  })
})

describe('a look-up that did not find it, written down twice', () => {
  const { absenceMs, repeatAfterMs } = testTimes
  const absent = () =>
    ({ state: 'unconfirmed', dueMs: 3_600_000, asked: 1, remark: 'absent', lookedAt: bench.clock.ms }) as const

  /** Unconfirmed, and it would be proven absent by two look-ups apart. */
  async function longSinceSent() {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach('unconfirmed')
    bench.pass(absenceMs)
    return payment
  }

  it('is the first one still: nothing changes, not even when it is looked at again', async () => {
    const payment = await longSinceSent()
    const look = absent()
    await payment.finish(look)
    const [before, dueAt] = [await payment.raw(), await payment.dueAt()]

    expect((await payment.finish(look))?.verdict).toBe('finished')

    expect(await payment.raw()).toEqual(before)
    expect(await payment.dueAt()).toBe(dueAt)
  })

  it('is the first one still when the answer was lost for as long as two look-ups are apart, and the second comes no later for it', async () => {
    const payment = await longSinceSent()
    const look = absent()
    await payment.finish(look)
    bench.pass(repeatAfterMs)

    expect((await payment.finish(look))?.verdict).toBe('finished')

    expect(await payment.record()).toMatchObject({ state: 'unconfirmed', absent: look.lookedAt })
    expect(await payment.dueAt()).toBe(bench.clock.ms)
  })

  it('has concluded once, and says so twice: the owner had not said what it becomes', async () => {
    const payment = await longSinceSent()
    await payment.finish(absent())
    bench.pass(repeatAfterMs)
    const look = absent()
    await payment.finish(look)
    const before = await payment.raw()

    expect(await payment.finish(look)).toMatchObject({ verdict: 'finished', record: { state: 'not_sent' } })

    expect(await payment.raw()).toEqual(before)
  })

  it('comes too late when the next attempt has begun', async () => {
    const payment = await longSinceSent()
    await payment.leave()
    await payment.finish(absent())
    bench.pass(repeatAfterMs)
    const look = absent()
    await payment.finish(look)
    await payment.admit()

    expect(await payment.finish(look)).toMatchObject({ verdict: 'refused', record: { state: 'accepted', attempt: 2 } })
  })
})

describe('a step that comes late, when the next attempt has begun', () => {
  const late: [string, (payment: Payment) => Promise<unknown>][] = [
    ['withdraw', (payment) => payment.withdraw()],
    ['fence', (payment) => payment.fence()],
    ['repeat', (payment) => payment.repeat()],
    ['finish', (payment) => payment.finish(APPROVAL)],
    ['release', (payment) => payment.release()],
    ['leave', (payment) => payment.leave('g9:9')],
  ]

  it.each(late)('(%s) changes nothing', async (_, step) => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ state: 'not_sent' })
    expect((await payment.admit()).verdict).toBe('new')
    const before = await payment.raw()

    await step(payment)

    expect(await payment.raw()).toEqual(before)
  })
})
