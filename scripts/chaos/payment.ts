import type { Body } from '../call/play-twilio.ts'
import type { Random } from './random.ts'

/** What a caller does with the id of his payment, and how it is meant to end. */
export type Role =
  /** Pays, and stops at the first answer. */
  | 'pays'
  /** Pays with what is declined. */
  | 'is declined'
  /** Leaves before he can hear anything, or just then. */
  | 'hangs up'
  /** Two callers with one request at once. */
  | 'twin'
  /** The same request once more after the answer. */
  | 'again'
  /** Another amount under the same id after the answer. */
  | 'other'

/** One payment as it is planned: everything about it follows from the seed and its number. */
export type Plan = {
  customId: string
  account: string
  method: 'charge' | 'tokenize'
  /** As PayConex will show it; empty where nothing is charged. */
  amount: string
  body: Body
  role: Role
  /** When the caller leaves, as a part of one try. */
  leavesAfter: number
  /** What PayConex does to its first submission. */
  fault: PayconexFault | undefined
}

export type PayconexFault = { fault: string; ms?: number; when?: 'before' | 'after' }

export type PlanMix = {
  seed: number
  /** The part of payments that PayConex treats badly one by one. */
  faultShare: number
  /** How, and how often each; the usual moods by default. */
  faults?: readonly (PayconexFault & { weight: number })[] | undefined
  /** How callers are mixed; the usual way by default. */
  roles?: readonly { role: Role; weight: number }[] | undefined
  /** The length of one try, by which delays are measured. */
  tryMs: number
}

const ROLES: readonly { role: Role; weight: number }[] = [
  { role: 'pays', weight: 86 },
  { role: 'is declined', weight: 3 },
  { role: 'hangs up', weight: 3 },
  { role: 'twin', weight: 3 },
  { role: 'again', weight: 3 },
  { role: 'other', weight: 2 },
]

const ACCOUNTS = ['120615000001', '120615000002', '120615000003', '120615000004']

/** Contradictions switch repeats off for their account, which must not be everybody's. */
const ACCOUNT_OF_CONTRADICTIONS = '120615000009'

export const ACCESS_KEY = 'simulator0access0key000000000000'

/** The amount that PayConex' certification declines. */
const DECLINED = '1.01'

export const isContradiction = (fault: PayconexFault | undefined): boolean =>
  fault?.fault === 'other_amount' || fault?.fault === 'other_id'

/** Moods of PayConex by how often they come: an answer late, lost after the commit, lost or refused before it, spelled
 * otherwise, contradicting the request. */
const FAULTS: readonly (PayconexFault & { weight: number })[] = [
  { weight: 15, fault: 'delay', when: 'before' },
  { weight: 15, fault: 'delay', when: 'after' },
  ...['lose_answer', 'reset_after_commit', '500_after_commit', 'html_after_commit', 'half_body', 'empty'].map(
    (fault) => ({ weight: 6, fault }),
  ),
  ...['hang', 'reset_before_commit', '500', '503', '429', 'html'].map((fault) => ({ weight: 3, fault })),
  { weight: 5, fault: 'booleans_as_digits' },
  { weight: 5, fault: 'form_answer' },
  { weight: 1, fault: 'other_amount' },
  { weight: 1, fault: 'other_id' },
]

export function planPayment(nth: number, mix: PlanMix, random: Random): Plan {
  const { seed, faultShare, faults = FAULTS, roles = ROLES, tryMs } = mix
  const chance = random.fork(nth)
  const { role } = chance.weighted(roles)
  const method = role === 'is declined' || role === 'other' || chance.isHit(0.9) ? 'charge' : 'tokenize'
  const amount = role === 'is declined' ? DECLINED : chance.between(2, 900).toFixed(2)
  const fault = chance.isHit(faultShare) ? drawFault(faults, tryMs, chance) : undefined
  const customId = `s${seed}.${nth}`
  return {
    customId,
    account: isContradiction(fault) ? ACCOUNT_OF_CONTRADICTIONS : chance.pick(ACCOUNTS),
    method,
    amount: method === 'charge' ? amount : '',
    body: bodyOf({ customId, method, amount, isBank: role !== 'is declined' && chance.isHit(0.1) }),
    role,
    leavesAfter: chance.between(0, 1.5),
    fault,
  }
}

/** PayConex may take up to three tries' time (PAYCONEX_TIMEOUT): its delays stay below. */
function drawFault(faults: typeof FAULTS, tryMs: number, random: Random): PayconexFault {
  const { weight: _, ...fault } = random.weighted(faults)
  return fault.fault === 'delay' ? { ...fault, ms: Math.round(random.between(0.1, 2.5) * tryMs) } : fault
}

type Described = { customId: string; method: Plan['method']; amount: string; isBank: boolean }

function bodyOf({ customId, method, amount, isBank }: Described): Body {
  return {
    method,
    transaction_id: customId,
    ...(isBank ? BANK_ACCOUNT : CARD),
    ...(method === 'charge' && { amount, currency_code: 'USD' }),
    description: 'Invoice 7',
    parameters: { first_name: 'Ann', last_name: 'Example' },
  }
}

const CARD = {
  cardnumber: '4111111111111111',
  cvv: '123',
  expiry_month: '08',
  expiry_year: '2039',
  postal_code: '94111',
}
const BANK_ACCOUNT = { bankaccountnumber: '15378535', routingnumber: '244183602' }

/** The same payment with another amount: what the caller reads out the second time. */
export function withOtherAmount(plan: Plan): Plan {
  const amount = (Number(plan.amount) + 1).toFixed(2)
  return { ...plan, amount, body: { ...plan.body, amount } }
}
