import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Entry } from './ledger.ts'
import { STATES, type State } from './record.ts'
import { APPROVAL, openBench, type Payment } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

afterAll(bench.close)

/** Every step a payment can take, as the table of states in the design has it. */
const LEGAL: Record<State, readonly State[]> = {
  accepted: ['accepted', 'sending', 'not_sent', 'declined'],
  sending: ['sending', 'approved', 'declined', 'unconfirmed', 'review', 'not_sent'],
  unconfirmed: ['approved', 'declined', 'unconfirmed', 'review', 'not_sent'],
  approved: ['reversing'],
  reversing: ['reversing', 'reversed', 'review', 'approved'],
  not_sent: ['accepted'],
  declined: ['accepted'],
  reversed: [],
  review: ['unconfirmed', 'approved', 'declined'],
}
const pairs = STATES.flatMap((from) => STATES.map((to) => [from, to] as const))
const isLegal = (from: State, to: State) => LEGAL[from].includes(to)

describe('the table of steps that all scripts assert', () => {
  const common = readFileSync(new URL('./scripts/common.lua', import.meta.url), 'utf8')
  const step = async (from: State, to: State) => {
    const [identity, fences] = await bench.redis.hmget(bench.key('ledger'), 'identity', 'fences')
    const keys = [bench.key('ledger'), bench.key('open'), bench.key('payment:p_1')]
    const text = `${common}\nstep(ARGV[4], ARGV[5])\nreturn 'legal'`
    return bench.redis.eval(text, keys.length, ...keys, '', identity ?? '', fences ?? '', from, to)
  }

  it.each(pairs.filter(([from, to]) => isLegal(from, to)))('lets %s become %s', async (from, to) => {
    expect(await step(from, to)).toBe('legal')
  })

  it.each(pairs.filter(([from, to]) => !isLegal(from, to)))('does not let %s become %s', async (from, to) => {
    await expect(step(from, to)).rejects.toThrow(`${from} cannot become ${to}`)
  })
})

/** What an owner says when he finishes a payment as this. */
const entryFor = (state: State): Entry => {
  if (state === 'approved') return APPROVAL
  return state === 'unconfirmed' || state === 'reversing' ? { state, dueMs: 2000 } : { state }
}

/** The owner may try to finish from these; from all other states `finish` is refused before any step. */
const UNFINISHED = ['sending', 'unconfirmed', 'reversing'] as const

describe('an owner who would finish a payment as what it cannot become', () => {
  const illegal = UNFINISHED.flatMap((from) => STATES.map((to) => [from, to] as const)).filter(
    // The same state again, without a time to look again, is the answer to a call that came twice.
    ([from, to]) => !isLegal(from, to) && from !== to,
  )

  it.each(illegal)('(%s as %s) is stopped by the script’s own assertion, and nothing has changed', async (from, to) => {
    const payment = bench.payment()
    await payment.reach(from)
    const before = await payment.raw()

    await expect(payment.finish(entryFor(to))).rejects.toThrow(`${from} cannot become ${to}`)

    expect(await payment.raw()).toEqual(before)
  })

  it('would need an id of PayConex for an approval', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    await expect(payment.finish({ state: 'approved' })).rejects.toThrow('not known to be approved')
  })
})

describe('an owner of a payment that is over', () => {
  const over = STATES.filter((state) => !(UNFINISHED as readonly State[]).includes(state))

  it.each(over)('(%s) can finish it as nothing else', async (from) => {
    const payment = bench.payment()
    await payment.reach(from)
    const before = await payment.raw()

    for (const to of STATES.filter((state) => state !== from)) {
      expect(await payment.finish(entryFor(to))).toMatchObject({ verdict: 'refused', record: { state: from } })
    }

    expect(await payment.raw()).toEqual(before)
  })
})

describe('whoever withdraws', () => {
  it.each(STATES.filter((state) => state !== 'not_sent' && state !== 'declined'))(
    'cannot make an accepted payment %s',
    async (to) => {
      const payment = bench.payment()
      await payment.reach('accepted')

      await expect(payment.withdraw({ state: to })).rejects.toThrow(/cannot become|is no way to/)

      expect(await payment.state()).toBe('accepted')
    },
  )
})

describe('a step that a script takes from one state only', () => {
  const states = (allowed: readonly State[]) => STATES.filter((state) => !allowed.includes(state))
  type Step = [string, readonly State[], (payment: Payment) => Promise<{ verdict: string } | undefined>]
  const steps: Step[] = [
    ['withdraw', ['accepted'], (payment) => payment.withdraw()],
    ['fence', ['accepted', 'sending'], (payment) => payment.fence()],
    ['repeat', ['sending'], (payment) => payment.repeat()],
    ['release', ['sending', 'reversing'], (payment) => payment.release()],
    ['reverse', ['approved', 'reversing'], (payment) => payment.reverse()],
    ['keep', ['approved'], (payment) => payment.keep()],
    ['resolve as approved', ['unconfirmed', 'review'], (payment) => payment.resolve({ state: 'approved', id: '1' })],
    [
      'resolve as declined',
      ['unconfirmed', 'review'],
      (payment) => payment.resolve({ state: 'declined', code: 'c', message: 'm' }),
    ],
    ['askNow', ['unconfirmed', 'reversing', 'review'], (payment) => payment.askNow('sealed')],
    ['takeBack', ['approved'], (payment) => payment.takeBack()],
    ['takeOver', ['sending', 'reversing', 'unconfirmed', 'approved'], (payment) => payment.takeOver('w2.b')],
  ]
  const refused = steps.flatMap(([name, allowed, take]) => states(allowed).map((state) => [name, state, take] as const))

  it.each(refused)('(%s) is refused in %s, and changes nothing', async (_, state, take) => {
    const payment = bench.payment()
    await payment.reach(state)
    await payment.silence()
    const before = await payment.raw()

    expect(await take(payment)).toMatchObject({ verdict: 'refused', record: { state } })

    expect(await payment.raw()).toEqual(before)
  })
})
