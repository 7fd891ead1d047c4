import type { Told } from './caller.ts'
import { isContradiction, type PayconexFault, type Role } from './payment.ts'

/** A line of PayConex' ledger, as the simulator shows it. */
export type Charge = {
  transaction_id: string
  account_id: string
  transaction_type: string
  custom_id: string | null
  transaction_amount: string
  approved: boolean
  original_transaction_id?: string
}

/** A record of our ledger. */
export type OurRecord = {
  customId: string
  account: string
  method: string
  state: string
  attempt: number
  id: string
}

/** What one caller did and heard; times are ms of this machine's clock. */
export type Call = {
  customId: string
  account: string
  method: 'charge' | 'tokenize'
  amount: string
  role: Role
  /** Whether this is the call after the answer, of `again` and `other`. */
  isSecond: boolean
  begun: number
  ended: number
  tries: number
  told: Told | undefined
  fault: PayconexFault | undefined
}

export type Books = { payconex: readonly Charge[]; ours: readonly OurRecord[]; callers: readonly Call[] }

/** `partly_charged` is counted, and no failing of ours: PayConex took another amount than it was asked for, its answer was lost,
 * and the status that is asked for instead names no amount. */
export type Count = 'charged_twice' | 'false_answers' | 'unresolved' | 'partly_charged'

export type Violation = { count: Count; rule: string; payment: string; says: string }

/** Everything that the three books say of one payment. */
export type Payment = {
  name: string
  charges: readonly Charge[]
  /** What PayConex approved and has not reversed since. */
  kept: readonly Charge[]
  record: OurRecord | undefined
  calls: readonly Call[]
}

/** Compares the three books when all is quiet. An empty list: nobody was charged twice, nobody heard a falsehood, nothing
 * is open. It believes PayConex; it knows the states of our ledger only where they decide what may have been said. */
export function judge(books: Books): Violation[] {
  return group(books).flatMap((payment) =>
    rules.flatMap(({ count, rule, find }) =>
      find(payment).map((says) => ({ count, rule, payment: payment.name, says })),
    ),
  )
}

type Rule = { count: Count; rule: string; find: (payment: Payment) => string[] }

const rules: readonly Rule[] = [
  { count: 'charged_twice', rule: 'charged twice', find: chargedTwice },
  { count: 'false_answers', rule: 'told approved, but it is not', find: approvedInVain },
  { count: 'false_answers', rule: 'told no, but it is charged', find: chargedAfterNo },
  { count: 'false_answers', rule: 'charged what nobody asked for', find: chargedUnasked },
  { count: 'false_answers', rule: 'an answer that is none', find: strangeAnswers },
  { count: 'false_answers', rule: 'our books say otherwise than PayConex', find: falseBooks },
  { count: 'unresolved', rule: 'still open', find: stillOpen },
  { count: 'unresolved', rule: 'for a person to look at, without reason', find: needlessReview },
  { count: 'unresolved', rule: 'no record', find: unrecorded },
  { count: 'partly_charged', rule: 'charged another amount, and nobody could know', find: partlyCharged },
]

function chargedTwice({ charges }: Payment): string[] {
  const approved = charges.filter(isApprovedCharge)
  return approved.length > 1 ? [approved.map(describe).join(', ')] : []
}

function approvedInVain({ charges, kept, calls }: Payment): string[] {
  return calls.flatMap(({ told, amount, fault }) => {
    if (told?.kind !== 'approved') return []
    const charge = charges.find((one) => isApprovedCharge(one) && one.transaction_id === told.id)
    if (!charge) return [`told ${told.id}, which PayConex has not approved`]
    if (!kept.includes(charge)) return [`told ${told.id}, which was reversed`]
    if (isOfAmount(charge, amount) || isOfOtherAmount(fault)) return []
    return [`told ${told.id} for ${amount}, but it is ${describe(charge)}`]
  })
}

function partlyCharged({ kept, calls }: Payment): string[] {
  return calls.flatMap(({ told, amount, fault }) => {
    const charge = kept.find(({ transaction_id }) => told?.kind === 'approved' && transaction_id === told.id)
    if (!charge || !isOfOtherAmount(fault) || isOfAmount(charge, amount)) return []
    return [`told approved for ${amount}, but it is ${describe(charge)}`]
  })
}

const isOfOtherAmount = (fault: PayconexFault | undefined) => fault?.fault === 'other_amount'

/** A no is true although there is a charge only when that belongs to a later attempt: another caller's, under the same id,
 * who was still calling when this one began. For a single caller no excuse exists: he stops at the first answer. */
function chargedAfterNo({ kept, record, calls }: Payment): string[] {
  return calls.flatMap((call) => {
    const { told, amount } = call
    const others = calls.filter((other) => other !== call && other.ended >= call.begun)
    const isAnothers = (charge: Charge) => others.some((other) => isOfAmount(charge, other.amount))
    if (told?.kind === 'transaction_id_reused') {
      return kept
        .filter((charge) => isOfAmount(charge, amount) && !isAnothers(charge))
        .map((charge) => `told reused, ${describe(charge)}`)
    }
    if (told?.kind !== 'not_processed' && told?.kind !== 'declined') return []
    const isLater = (charge: Charge) => (record?.attempt ?? 1) > 1 && isAnothers(charge)
    return kept.filter((charge) => !isLater(charge)).map((charge) => `told ${told.kind}, ${describe(charge)}`)
  })
}

function chargedUnasked({ kept, calls }: Payment): string[] {
  const isAsked = (charge: Charge) =>
    calls.some(({ amount, fault }) => isOfAmount(charge, amount) || isOfOtherAmount(fault))
  return kept.filter((charge) => !isAsked(charge)).map(describe)
}

function strangeAnswers({ calls }: Payment): string[] {
  return calls.flatMap(({ told }) => (told?.kind === 'other' ? [told.says] : []))
}

/** What a repeat would be told, and what people read. */
function falseBooks({ charges, kept, record }: Payment): string[] {
  if (!record) return []
  const { state, id } = record
  const named = kept.some(({ transaction_id }) => transaction_id === id)
  if (state === 'approved' && !named) return [`approved as ${id}, which PayConex does not have`]
  if (['declined', 'not_sent', 'reversed'].includes(state) && kept.length > 0) {
    return [`${state}, but ${kept.map(describe).join(', ')}`]
  }
  if (state === 'reversed' && !charges.some(isApprovedCharge)) return ['reversed, but it was never charged']
  return []
}

const OPEN = ['accepted', 'sending', 'unconfirmed', 'reversing']

function stillOpen(payment: Payment): string[] {
  const { record } = payment
  return record && OPEN.includes(record.state) && !isUnprovable(payment) ? [record.state] : []
}

/** Where PayConex contradicts itself, "not found" proves nothing: it is asked about for days, and ends with a person. */
const isUnprovable = ({ record, charges, calls }: Payment): boolean =>
  record?.state === 'unconfirmed' && charges.length === 0 && calls.some(({ fault }) => isContradiction(fault))

function needlessReview({ record, calls }: Payment): string[] {
  return record?.state === 'review' && !calls.some(({ fault }) => isContradiction(fault)) ? ['review'] : []
}

/** Only "we do not know" can be said without a record: by a gateway that never reached the ledger. */
function unrecorded({ record, charges, calls }: Payment): string[] {
  if (record) return []
  const charged = charges.filter(isApprovedCharge).map(describe)
  const told = calls.flatMap(({ told }) => (told && told.kind !== 'unconfirmed' ? [`told ${told.kind}`] : []))
  return [...charged, ...told]
}

const CHARGES = ['SALE', 'AUTHORIZATION', 'STORE']

const isApprovedCharge = ({ approved, transaction_type }: Charge) => approved && CHARGES.includes(transaction_type)

/** A stored card has no amount. */
const isOfAmount = ({ transaction_type, transaction_amount }: Charge, amount: string) =>
  transaction_type === 'STORE' || transaction_amount === amount

const describe = ({ transaction_type, transaction_id, transaction_amount }: Charge) =>
  `${transaction_type} ${transaction_id} of ${transaction_amount}`

/** One entry per account, method and transaction_id: what must be charged at most once. */
export function group({ payconex, ours, callers }: Books): Payment[] {
  const reversed = new Set(
    payconex.flatMap(({ transaction_type, approved, original_transaction_id: original }) =>
      transaction_type === 'REVERSAL' && approved && original ? [original] : [],
    ),
  )
  const payments = new Map<
    string,
    { charges: Charge[]; kept: Charge[]; record: OurRecord | undefined; calls: Call[] }
  >()
  const of = (name: string) => {
    const known = payments.get(name) ?? { charges: [], kept: [], record: undefined, calls: [] }
    payments.set(name, known)
    return known
  }
  for (const call of callers) of(nameOf(call)).calls.push(call)
  for (const record of ours) of(nameOf(record)).record = record
  for (const charge of payconex.filter(({ transaction_type }) => CHARGES.includes(transaction_type))) {
    const { charges, kept } = of(nameOfCharge(charge))
    charges.push(charge)
    if (charge.approved && !reversed.has(charge.transaction_id)) kept.push(charge)
  }
  return [...payments].map(([name, payment]) => ({ name, ...payment }))
}

type Named = { account: string; method: string; customId: string }

export const nameOf = ({ account, method, customId }: Named) => `${account} ${method} ${customId}`

const nameOfCharge = ({ account_id, transaction_type, custom_id }: Charge) =>
  nameOf({
    account: account_id,
    method: transaction_type === 'STORE' ? 'tokenize' : 'charge',
    customId: custom_id ?? '',
  })
