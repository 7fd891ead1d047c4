import type { Method } from './method.ts'

/** How a payment ended, as far as the caller may know. */
export type Verdict =
  | { kind: 'approved'; transactionId: string }
  | { kind: 'declined'; code: string; message: string }
  | { kind: 'invalid_request'; field: string }
  | { kind: 'not_processed' }
  | { kind: 'unconfirmed' }
  | { kind: 'transaction_id_reused' }
  | { kind: 'unauthorized' }

type Failure = { error_code: string | null; error_message: string | null }

/** What Twilio reads: a non-null error_code is a failure. https://www.twilio.com/docs/voice/twiml/pay/generic-pay-connector */
export type PayReply = ({ charge_id: string | null } & Failure) | ({ token_id: string | null } & Failure)

/** Exactly three keys, the id's name chosen by the method, whatever happened. */
export function toPayReply(method: Method, verdict: Verdict): PayReply {
  const id = verdict.kind === 'approved' ? verdict.transactionId : null
  return method === 'charge' ? { charge_id: id, ...failure(verdict) } : { token_id: id, ...failure(verdict) }
}

function failure(verdict: Verdict): Failure {
  switch (verdict.kind) {
    case 'approved':
      return { error_code: null, error_message: null }
    case 'declined':
      return { error_code: verdict.code, error_message: verdict.message }
    case 'invalid_request':
      return {
        error_code: verdict.kind,
        error_message: `The ${SPOKEN.get(verdict.field) ?? 'request'} is missing or not valid.`,
      }
    default:
      return { error_code: verdict.kind, error_message: MESSAGES[verdict.kind] }
  }
}

/** Our own codes beside PayConex's, never to be used for anything else. Applications read the message aloud to the caller.
 *
 * | error_code              | means                                                             | money moved           |
 * | ----------------------- | ----------------------------------------------------------------- | --------------------- |
 * | `invalid_request`       | refused before anything was queued                                | no                    |
 * | `not_processed`         | could not be done now; safe to try again with a new payment       | no                    |
 * | `unconfirmed`           | may have been charged; do not try again                           | unknown               |
 * | `transaction_id_reused` | this id belongs to another request                                | no (by this request)  |
 * | `unauthorized`          | credentials missing, malformed or not allowed                     | no                    | */
const MESSAGES = {
  not_processed: 'The payment was not processed. Please try again.',
  unconfirmed: 'We could not confirm the payment. Please do not try again.',
  transaction_id_reused: 'This payment was already requested with other details.',
  unauthorized: 'This payment service is not authorized.',
}

/** Twilio's fields in words. */
const SPOKEN: ReadonlyMap<string, string> = new Map([
  ['method', 'payment method'],
  ['transaction_id', 'transaction ID'],
  ['cardnumber', 'card number'],
  ['cvv', 'security code'],
  ['expiry_month', 'expiration month'],
  ['expiry_year', 'expiration year'],
  ['bankaccountnumber', 'bank account number'],
  ['routingnumber', 'routing number'],
  ['amount', 'amount'],
  ['currency_code', 'currency'],
  ['description', 'description'],
  ['postal_code', 'postal code'],
  ['parameters', 'list of parameters'],
])
