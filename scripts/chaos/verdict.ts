import { STARVED } from './machine.ts'
import type { Deed } from './nemesis.ts'
import { type Books, type Call, type Count, group, judge, type Payment, type Violation } from './oracle.ts'
import { createTouch, PAYCONEX_ONE } from './touched.ts'

/** What a run has shown. */
export type Verdict = {
  payments: number
  faults: number
  counts: Record<Count, number>
  /** Of the payments that should be approved and whose caller stayed: the part that was told so. */
  approved: number
  /** Of the calls whose caller stayed: the part that got no answer in any try. */
  silent: number
  untouched: number
  /** The part of the payments during which the machine had no time for us. */
  starved: number
  /** Payments that each kind of fault touched, as a part of all. */
  kinds: ReadonlyMap<string, number>
  violations: readonly Violation[]
  /** Why the run failed, in words; empty when it passed. */
  failures: readonly string[]
}

export const LIMITS = { approved: 0.8, silent: 0.02, kind: 0.01 }

export type Happened = {
  deeds: readonly Deed[]
  /** When the machine had no time for us: no fault of ours, and none of the nemesis'. */
  starved: readonly Deed[]
  /** Every kind of fault that should have come. */
  kinds: readonly string[]
}

/** Puts the oracle's findings and the run's own honesty together: a run in which nothing was paid, or nothing broken, has
 * shown nothing. */
export function reach(books: Books, { deeds, starved, kinds }: Happened): Verdict {
  const payments = group(books).filter(({ calls }) => calls.length > 0)
  const violations = judge(books)
  const touch = createTouch([...deeds, ...starved])
  const met = new Map(payments.map((payment) => [payment, touch(payment)]))
  const untouched = payments.filter((payment) => met.get(payment)?.size === 0)
  const staying = books.callers.filter(({ role }) => role !== 'hangs up')
  const payable = payments.filter(({ calls: [first] }) => first && isPayable(first))
  const found = {
    payments: payments.length,
    faults: deeds.length + payments.filter((payment) => met.get(payment)?.has(PAYCONEX_ONE)).length,
    counts: countOf(violations),
    approved: part(payable, ({ calls }) => calls.some(({ told }) => told?.kind === 'approved')),
    silent: part(staying, ({ told }) => told === undefined),
    untouched: untouched.length,
    starved: part(payments, (payment) => met.get(payment)?.has(STARVED) === true),
    kinds: new Map(kinds.map((kind) => [kind, part(payments, (payment) => met.get(payment)?.has(kind) === true)])),
    violations,
  }
  return { ...found, failures: [...failuresOf(found), ...untouched.flatMap(shortcomings)] }
}

const isPayable = ({ role }: Call) => role !== 'hangs up' && role !== 'is declined'

function part<Item>(items: readonly Item[], isCounted: (item: Item) => boolean): number {
  return items.length === 0 ? 0 : items.filter(isCounted).length / items.length
}

function countOf(violations: readonly Violation[]): Record<Count, number> {
  const payments = (count: Count) =>
    new Set(violations.filter((one) => one.count === count).map(({ payment }) => payment))
  return {
    charged_twice: payments('charged_twice').size,
    false_answers: payments('false_answers').size,
    unresolved: payments('unresolved').size,
    partly_charged: payments('partly_charged').size,
  }
}

function failuresOf({ violations, approved, silent, untouched, kinds }: Omit<Verdict, 'failures'>): string[] {
  const rare = [...kinds].filter(([, touched]) => touched < LIMITS.kind)
  return [
    ...violations
      .filter(({ count }) => count !== 'partly_charged')
      .map(({ rule, payment, says }) => `${payment}: ${rule}: ${says}`),
    ...(approved < LIMITS.approved ? [`only ${percent(approved)} were approved`] : []),
    ...(silent > LIMITS.silent ? [`${percent(silent)} of the calls got no answer`] : []),
    ...(untouched === 0 ? ['no payment was left untouched, so nothing shows that they pass'] : []),
    ...rare.map(([kind, touched]) => `${kind} touched only ${percent(touched)} of the payments`),
  ]
}

/** What a payment that met no fault must hear; anything else is our own failing. */
function shortcomings({ name, calls }: Payment): string[] {
  return calls.flatMap((call) => {
    const wanted = expected(call)
    const heard = call.told?.kind ?? 'nothing'
    return wanted === undefined || heard === wanted
      ? []
      : [`${name}: no fault touched it, but ${call.role} heard ${heard}`]
  })
}

function expected({ role, isSecond }: Call): string | undefined {
  if (role === 'hangs up') return undefined
  if (role === 'is declined') return 'declined'
  return role === 'other' && isSecond ? 'transaction_id_reused' : 'approved'
}

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
