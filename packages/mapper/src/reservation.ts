import { isTransactionId, readAnswer, type Said } from './answer.ts'
import { isBelievable } from './http-status.ts'
import { type Unanswered, unanswered } from './outcome.ts'
import { type Declined, hasErrorCode, isRefusal, toDeclined } from './refusal.ts'

/** An id for one transaction, or why there is none. */
export type Reservation = { kind: 'reserved'; transactionId: string } | Declined | Unanswered

/** What TSAPI's GET_TRANSACTION_ID gave. Nothing is charged by it, so a refusal (wrong credentials) is a plain no.
 * https://developers.bluefin.com/payconex/docs/tsapi-request-response-formats */
export function interpretReservation(httpStatus: number, said: Said): Reservation {
  const answer = readAnswer(said)
  if (answer === undefined || !isBelievable(httpStatus, answer)) return unanswered('the reservation was not answered')
  if (isRefusal(answer)) return toDeclined(answer)
  const { transactionId } = answer
  const isUsable = answer.isError !== true && !hasErrorCode(answer) && isTransactionId(transactionId)
  return isUsable ? { kind: 'reserved', transactionId } : unanswered('the reservation has no id')
}
