import type { PaymentRecord } from '@pay/ledger'
import type { Charge } from './account-report.ts'

/** How our books and PayConex' report can disagree, in the order in which they are told: what costs a payer money comes first. */
export const KINDS = [
  'double',
  'denied',
  'not_reversed',
  'orphan',
  'amount',
  'id',
  'missing',
  'unresolved',
  'not_checked',
] as const

export type Kind = (typeof KINDS)[number]

/** One disagreement. `here` is what the ledger says, `there` what PayConex shows of the same payment. */
export type Finding =
  | {
      kind: Exclude<Kind, 'orphan' | 'not_checked'>
      account: string
      here: PaymentRecord
      there: readonly Charge[]
    }
  | { kind: 'orphan'; account: string; there: readonly [Charge] }
  | { kind: 'not_checked'; account: string; payments: number }

/** What each kind is, and what a person does about it. */
export const MEANINGS: Readonly<Record<Kind, { is: string; todo: string }>> = {
  double: {
    is: 'charged more than once at PayConex under one transaction_id',
    todo: "The payer paid twice: refund all but the one that the ledger names, in PayConex' portal. Then find out how it came about.",
  },
  denied: {
    is: 'charged at PayConex, although the caller heard that nothing was charged',
    todo: "Refund it in PayConex' portal, or tell the payer that it was charged after all.",
  },
  not_reversed: {
    is: 'reversed in the ledger, still charged at PayConex',
    todo: "The caller heard that nothing was charged: reverse or refund it in PayConex' portal.",
  },
  orphan: {
    is: 'charged at PayConex, unknown to the ledger',
    todo: 'Made by something else with this account (the portal, a shop)? Then it is theirs. Otherwise find the call, and refund it if nobody ordered it.',
  },
  amount: {
    is: 'charged at PayConex with another amount than asked for',
    todo: "Refund the difference, or charge it, in PayConex' portal.",
  },
  id: {
    is: 'at PayConex under another id than the ledger has',
    todo: 'The id that the application was given is not the one to refund by: note the other one. Ask Bluefin why, and do not rely on reserved ids until then.',
  },
  missing: {
    is: 'approved in the ledger, not charged at PayConex',
    todo: "The caller heard that it was paid. Look for it in PayConex' portal by its id; if it is not there, no money comes.",
  },
  unresolved: {
    is: 'not known in the ledger whether it was charged',
    todo: 'Look at it with `npm run payments -- show`, and tell the ledger what PayConex shows with `npm run payments -- resolve`.',
  },
  not_checked: {
    is: 'payments of an account without an access key: not compared',
    todo: 'Give its access key too (--accounts).',
  },
}
