import type { Ledger } from './ledger.ts'
import type { Order, TransactionType } from './order.ts'
import {
  ALREADY_REVERSED,
  DECLINED,
  INVALID_REFUND_AMOUNT,
  INVALID_TOKEN,
  invalidField,
  type Refusal,
} from './refusals.ts'

/** What becomes of an order that makes a transaction. Members that are undefined are absent from the answer. */
export interface Verdict {
  readonly approved: boolean
  /** Up to six characters; the caller completes the card code with the transaction's own digits. */
  readonly authorizationCode?: 'CVI' | 'ACH'
  readonly authorizationMessage?: string
  readonly avs?: string
  readonly cvv?: string
  readonly hasBalance?: boolean
  readonly error?: Refusal
}

/** Judges an order at the moment of commit, so that two reversals that arrive together cannot both succeed. */
export const judge = (order: Order, ledger: Ledger): Verdict | Refusal => judges[order.type](order, ledger)

type Judge = (order: Order, ledger: Ledger) => Verdict | Refusal

const judges: Record<TransactionType, Judge> = {
  SALE: charge,
  AUTHORIZATION: charge,
  // A STORE checks formats only (2015 text): no funds, expiry, CVV or AVS, and the recorded answer has no such member.
  STORE: () => ({ approved: true }),
  CREDIT: () => ({ approved: true, authorizationMessage: 'CREDIT' }),
  CAPTURE: capture,
  REFUND: refund,
  REVERSAL: reverse,
}

function charge(order: Order): Verdict {
  const reason = declines.find(({ applies }) => applies(order))
  if (reason) return { approved: false, authorizationMessage: reason.message, error: DECLINED }
  return order.instrument.tender === 'ACH' ? approveBankAccount : approveCard(order)
}

/** 1.01 is Bluefin's own magic amount, recorded for cards; we decline every tender with it. EXPIRED CARD is our guess;
 * swiped cards are let through because the expiration in ActiveMerchant's test track has long passed. */
const declines: readonly { message: string; applies: (order: Order) => boolean }[] = [
  { message: 'CALL AUTH CENTER', applies: (order) => order.cents === 101 },
  { message: 'EXPIRED CARD', applies: ({ instrument }) => instrument.keyed && isPast(instrument.expiration) },
]

const approveBankAccount: Verdict = { approved: true, authorizationCode: 'ACH', authorizationMessage: 'PENDING' }

/** The letters follow Bluefin's table: Z zip matches, M code matches, U no data. Certification was recorded answering U
 * for a CVV it was given; we say M, so that a test can see whether the CVV arrived. A swiped card has no CVV answer. */
const approveCard = ({ cents, instrument, cvvGiven }: Order): Verdict => ({
  approved: true,
  authorizationCode: 'CVI',
  authorizationMessage: 'APPROVED',
  avs: instrument.zip === undefined ? 'U' : 'Z',
  ...(instrument.keyed && { cvv: cvvGiven ? 'M' : 'U' }),
  hasBalance: cents > 0,
})

/** How a second CAPTURE, one above the authorised amount, or the REVERSAL of a captured authorisation is refused is our
 * guess: no recording shows any of them. */
function capture(order: Order, ledger: Ledger): Verdict | Refusal {
  const past = pastOf(order, ledger)
  if (past.reversed) return ALREADY_REVERSED
  if (past.captured) return INVALID_TOKEN
  if (order.cents === 0 || order.cents > past.cents) return invalidField('transaction_amount')
  return { approved: true, authorizationMessage: 'CAPTURED' }
}

/** Nothing ever settles here, so a full refund is a void. A transaction can be refunded only once (2015 text). */
function refund(order: Order, ledger: Ledger): Verdict | Refusal {
  const past = pastOf(order, ledger)
  if (past.reversed) return ALREADY_REVERSED
  if (past.refunded || order.cents === 0 || order.cents > past.cents) return INVALID_REFUND_AMOUNT
  return undo(order, order.cents === past.cents ? 'VOID' : 'REFUND')
}

function reverse(order: Order, ledger: Ledger): Verdict | Refusal {
  const past = pastOf(order, ledger)
  if (past.captured) return INVALID_TOKEN
  return past.reversed || past.voided ? ALREADY_REVERSED : undo(order, 'APPROVED')
}

const undo = ({ instrument }: Order, authorizationMessage: string): Verdict => ({
  approved: true,
  authorizationCode: instrument.tender === 'ACH' ? 'ACH' : 'CVI',
  authorizationMessage,
})

/** What has already been done with the original of a follow-up. */
function pastOf({ original, accountId, tokenId = '' }: Order, ledger: Ledger) {
  const later = ledger.followers(accountId, tokenId)
  const refunds = later.filter((entry) => entry.order.type === 'REFUND')
  return {
    cents: original?.cents ?? 0,
    reversed: later.some((entry) => entry.order.type === 'REVERSAL'),
    captured: later.some((entry) => entry.order.type === 'CAPTURE'),
    refunded: refunds.length > 0,
    voided: refunds.some((entry) => entry.cents === original?.cents),
  }
}

/** Cards are good until the end of their month; years are of this century. */
function isPast(expiration: string | null): boolean {
  if (expiration === null) return false
  const monthAfter = Date.UTC(2000 + Number(expiration.slice(2)), Number(expiration.slice(0, 2)))
  return Date.now() >= monthAfter
}
