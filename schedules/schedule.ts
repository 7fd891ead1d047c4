import fc from 'fast-check'
import type { Behaviour } from './payconex.ts'
import { TRIES } from './times.ts'

/** How one system is set up. */
export type Settings = {
  reserve: 'required' | 'preferred' | 'off'
  lateApproval: 'report' | 'reverse'
  behaviour: Behaviour
  /** An earlier payment has proven that PayConex honours reserved ids. */
  isProven: boolean
  gateways: number
  workers: number
  maxWaiting: number
  /** Of the queue, where gateways know it: they hold back what goes beyond. */
  capacity: { concurrency: number; gateways: number } | undefined
  /** The second payment is a token, and not another charge. */
  hasToken: boolean
  /** One step in so many goes wrong in one of six ways. */
  calm: number
  /** Which payment and which of its two requests each call is about. */
  calls: readonly { payment: 0 | 1; variant: 0 | 1; tries: number }[]
  /** What PayConex makes of everything that it still has when the choices have run out: at once, or only when it must. */
  ending: 'approved' | 'approved late' | 'declined late' | 'dropped late'
  /** What happens, once the choices have run out, when a charge is about to be undone. */
  meanwhile: 'nothing' | 'a call' | 'the clock goes back'
  /** The ledger is set back once, to before a fence. */
  goesBack: boolean
}

/** A system, and one number for each choice of what happens next. When they run out everything goes well until the end. */
export type Schedule = { settings: Settings; choices: readonly number[] }

const often = <T>(common: T, rare: T, share: number): fc.Arbitrary<T> =>
  fc.oneof({ weight: 100 - share, arbitrary: fc.constant(common) }, { weight: share, arbitrary: fc.constant(rare) })

const settings: fc.Arbitrary<Settings> = fc.record({
  reserve: fc.oneof(
    { weight: 8, arbitrary: fc.constant('required' as const) },
    { weight: 1, arbitrary: fc.constant('preferred' as const) },
    { weight: 1, arbitrary: fc.constant('off' as const) },
  ),
  lateApproval: often<Settings['lateApproval']>('reverse', 'report', 40),
  behaviour: fc.oneof(
    { weight: 50, arbitrary: fc.constant('refuses' as const) },
    { weight: 40, arbitrary: fc.constant('replays' as const) },
    { weight: 10, arbitrary: fc.constant('ignores' as const) },
  ),
  isProven: often(true, false, 25),
  gateways: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 1, max: 3 }),
  maxWaiting: often(100, 1, 15),
  capacity: often<Settings['capacity']>(undefined, { concurrency: 1, gateways: 1 }, 30),
  hasToken: fc.boolean(),
  calm: fc.constantFrom(128, 64, 32),
  calls: fc.array(
    fc.record({
      payment: often<0 | 1>(0, 1, 20),
      variant: often<0 | 1>(0, 1, 30),
      tries: fc.integer({ min: 1, max: TRIES }),
    }),
    { minLength: 1, maxLength: 5, size: 'max' },
  ),
  ending: fc.constantFrom<Settings['ending'][]>(
    'approved',
    'approved late',
    'declined late',
    'dropped late',
    'dropped late',
  ),
  meanwhile: fc.constantFrom('nothing' as const, 'a call' as const, 'the clock goes back' as const),
  goesBack: often(false, true, 3),
})

export const MOST_CHOICES = 320

const choices = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 0, maxLength: MOST_CHOICES, size: 'max' })

export const schedules: fc.Arbitrary<Schedule> = fc.noBias(fc.record({ settings, choices }))
