import { type Answer, originalIdOf, type Transaction } from './answers.ts'

/** One line of the books: a transaction that happened, approved or declined, and what was said about it. */
export interface Entry extends Transaction {
  /** Whether it took an id that the caller had reserved. */
  readonly reserved: boolean
  readonly answer: Answer
  /** The one thing that becomes known later: whether the answer left in full. */
  answered: boolean
}

export type Ledger = ReturnType<typeof createLedger>

/** The books of all accounts: an append-only list. It is the witness of every test, so nothing is ever dropped from it,
 * and it holds nothing secret (`instrument.ts`). */
export function createLedger() {
  let entries: Entry[] = []
  let byId = new Map<string, Entry[]>()

  return {
    append(entry: Entry) {
      entries.push(entry)
      const id = entry.transactionId
      byId.set(id, [...(byId.get(id) ?? []), entry])
      const original = originalIdOf(entry.order)
      if (original !== undefined) byId.set(original, [...(byId.get(original) ?? []), entry])
      return entry
    },
    /** The transactions under an id: several when an authorisation was captured, or a used id was accepted again. */
    find: (accountId: string, id: string): Entry[] =>
      (byId.get(id) ?? []).filter((entry) => entry.order.accountId === accountId && entry.transactionId === id),
    /** What was approved about an earlier transaction: its capture, refund, reversal. */
    followers: (accountId: string, id: string): Entry[] =>
      (byId.get(id) ?? []).filter(({ order }) => order.accountId === accountId && order.original?.transactionId === id),
    entries: (customId?: string): readonly Entry[] =>
      customId === undefined ? entries : entries.filter((entry) => entry.order.customId === customId),
    clear() {
      entries = []
      byId = new Map()
    },
  }
}

/** How an entry is shown: PayConex's names, decimal amounts as strings, and the last four digits at most. */
export const toRow = ({ transactionId, order, verdict, cents, reserved, at, answered }: Entry) => ({
  transaction_id: transactionId,
  account_id: order.accountId,
  transaction_type: order.type,
  tender_type: order.instrument.tender,
  custom_id: order.customId ?? null,
  transaction_amount: decimal(cents),
  approved: verdict.approved,
  reserved,
  last4: order.instrument.last4,
  at: at.toISOString(),
  answered,
  ...(originalIdOf(order) !== undefined && { original_transaction_id: originalIdOf(order) }),
  ...(order.tokenId !== undefined && { token_id: order.tokenId }),
  ...(order.reissue && { reissue: true }),
})

/** Two or more approved transactions of one type, account and custom_id. PayConex accepts them, since custom_id is only
 * a reference there; to a caller each one is a double charge. */
export function findDuplicates(entries: readonly Entry[]) {
  const approved = entries.filter(({ verdict, order }) => verdict.approved && order.customId !== undefined)
  const groups = Map.groupBy(approved, ({ order }) => JSON.stringify([order.accountId, order.customId, order.type]))
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first && group.length > 1 ? [toDuplicate(first, group)] : []
  })
}

const toDuplicate = ({ order }: Entry, group: readonly Entry[]) => ({
  account_id: order.accountId,
  custom_id: order.customId,
  transaction_type: order.type,
  transaction_ids: group.map((entry) => entry.transactionId),
})

/** Money taken, gross: approved sales and captures. */
export const charged = (entries: readonly Entry[]) => sum(entries, ['SALE', 'CAPTURE'])

/** Money given back: refunds, credits, and reversals of sales. The reversal of a mere authorisation moves nothing. */
export const returned = (entries: readonly Entry[]) =>
  sum(
    entries.filter(({ order }) => order.type !== 'REVERSAL' || order.original?.order.type === 'SALE'),
    ['REFUND', 'CREDIT', 'REVERSAL'],
  )

function sum(entries: readonly Entry[], types: readonly string[]) {
  const counted = entries.filter(({ verdict, order }) => verdict.approved && types.includes(order.type))
  return { count: counted.length, total: decimal(counted.reduce((total, { cents }) => total + cents, 0)) }
}

/** "12.50"; in whole cents throughout, so that no sum is off by a float. */
export const decimal = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
