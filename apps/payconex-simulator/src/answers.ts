import type { Order } from './order.ts'
import type { Verdict } from './processor.ts'
import type { Refusal } from './refusals.ts'

/** One answer of PayConex: a flat list of members, in the order in which they were recorded. */
export type Answer = Readonly<Record<string, string | number | boolean | null>>

export interface Transaction {
  readonly transactionId: string
  readonly order: Order
  readonly verdict: Verdict
  /** What was approved, which in a partial approval is less than `order.cents`. */
  readonly cents: number
  readonly at: Date
}

/** The answer about a transaction, laid out exactly like the ones ActiveMerchant recorded in 2015: each kind of answer
 * has its own absent members. A STORE has no transaction_approved, a decline no request_amount and no balance. */
export function describe(transaction: Transaction): Answer {
  const { transactionId, order, verdict, cents } = transaction
  const { instrument } = order
  return present({
    original_transaction_id: originalIdOf(order),
    transaction_id: transactionId,
    tender_type: instrument.tender,
    transaction_timestamp: timestamp(transaction.at),
    card_brand: instrument.brand,
    transaction_type: order.type,
    last4: instrument.last4,
    card_expiration: instrument.expiration,
    authorization_code: authorizationCode(transaction),
    authorization_message: verdict.authorizationMessage,
    request_amount: verdict.approved ? dollars(order.cents) : undefined,
    transaction_amount: dollars(cents),
    ...names(order),
    keyed: instrument.keyed,
    swiped: instrument.swiped,
    transaction_approved: order.type === 'STORE' ? undefined : verdict.approved,
    avs_response: verdict.avs,
    cvv2_response: verdict.cvv,
    transaction_description: order.description,
    custom_id: order.customId,
    custom_data: order.customData,
    ...(!verdict.approved && { reason_code: null, gateway_id: null }),
    balance: verdict.hasBalance ? dollars(cents) : undefined,
    currency: order.currency,
    check_number: order.checkNumber,
    ...outcome(verdict.error),
  })
}

/** The answer about a request that made no transaction: four members, whatever was asked. */
export const refuse = (refusal: Refusal): Answer => outcome(refusal)

/** `error_msg` repeats `error_message`, in every recorded answer. */
export const outcome = (error?: Refusal) => ({
  error: error !== undefined,
  error_code: error?.code ?? 0,
  error_message: error?.message ?? null,
  error_msg: error?.message ?? null,
})

/** JSON only where exactly that was asked for: FORM is the documented default, SERIAL, JSONP and DEBUG are not built.
 * In a form a boolean is 1 or 0; that null is an empty value is our guess. */
export function encode(answer: Answer, format: string | undefined): { body: string; contentType: string } {
  if (format === 'JSON') return { body: JSON.stringify(answer), contentType: 'application/json' }
  const form = new URLSearchParams(Object.fromEntries(Object.entries(answer).map(toFormPair)))
  return { body: form.toString(), contentType: 'application/x-www-form-urlencoded' }
}

/** CAPTURE goes on under the authorisation's id; REFUND and REVERSAL get one of their own and name the original. */
export const originalIdOf = ({ type, original }: Order): string | undefined =>
  type === 'CAPTURE' ? undefined : original?.transactionId

const present = (members: Record<string, Answer[string] | undefined>): Answer =>
  Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/** Amounts are JSON numbers (1, 1.01), never strings. */
const dollars = (cents: number) => cents / 100

const authorizationCode = ({ verdict: { authorizationCode: code }, transactionId }: Transaction) =>
  code === 'CVI' ? `CVI${transactionId.slice(-3)}` : code

/** On a follow-up the whole name arrives in first_name, and last_name not at all. */
function names({ original, instrument: { firstName, lastName } }: Order) {
  if (!original) return { first_name: firstName, last_name: lastName }
  return { first_name: [firstName, lastName].filter(Boolean).join(' ') || undefined }
}

/** `YYYY-MM-DD HH:MM:SS` without a zone; the recorded ones look like US Central time. Swedes write dates this way. */
const timestamp = (at: Date) => centralTime.format(at)

const centralTime = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'short',
  timeStyle: 'medium',
  timeZone: 'America/Chicago',
})

const toFormPair = ([name, value]: [string, Answer[string]]) => [
  name,
  typeof value === 'boolean' ? String(Number(value)) : String(value ?? ''),
]
