import { readAnswer, type Said, type TransactionAnswer } from './answer.ts'
import { isSuccess } from './http-status.ts'
import { contradiction, type Outcome, unanswered } from './outcome.ts'
import { hasErrorCode, saysNoError, toDeclined } from './refusal.ts'
import type { Transaction } from './transaction.ts'

/** What a look-up tells. `not_found` is PayConex's own word that it has no such transaction, which is not yet "not charged":
 * what was sent may still be on its way. */
export type StatusOutcome = Outcome | { kind: 'not_found' }

/** `pastTimeout`: so long after the last send that PayConex cannot still be working on it. */
export type AskedStatus = { type: Transaction['type'] | 'REVERSAL'; reservedId: string; pastTimeout: boolean }

/** What TSAPI's GET_TRANSACTION_STATUS tells about the transaction sent under the reserved id. Found and approved is a yes; an
 * error code is a no once time is up, before that it may still be under way. "Not found" must be said in so many words. All
 * else is no answer yet, also an error, which is the look-up's own.
 * https://developers.bluefin.com/payconex/docs/tsapi-request-response-formats */
export function interpretStatus(httpStatus: number, said: Said, asked: AskedStatus): StatusOutcome {
  const answer = readAnswer(said)
  if (answer === undefined || !isSuccess(httpStatus)) return unanswered('the look-up was not answered')
  const isOther = answer.transactionId !== undefined && answer.transactionId !== asked.reservedId
  if (answer.isFound !== true)
    return isNotFound(answer) && !isOther ? NOT_FOUND : unanswered('the look-up found nothing')
  if (isApproved(answer, asked.type)) {
    return isOther
      ? contradiction('found approved under another transaction_id')
      : { kind: 'approved', transactionId: asked.reservedId }
  }
  if (isDeclined(answer) && asked.pastTimeout && !isOther) return toDeclined(answer)
  return unanswered('the look-up says neither yes nor no')
}

const NOT_FOUND = { kind: 'not_found' } as const

/** A look-up that failed has not looked, and one that speaks of an approval has found something. */
const isNotFound = (answer: TransactionAnswer) =>
  answer.isFound === false && answer.isError !== true && !hasErrorCode(answer) && answer.isApproved !== true

/** A stored card is never "approved"; that it is there, and no error, is all there is to say. */
const isApproved = (answer: TransactionAnswer, type: AskedStatus['type']) =>
  answer.isError !== true &&
  !hasErrorCode(answer) &&
  (answer.isApproved === true || (type === 'STORE' && answer.isApproved === undefined && saysNoError(answer)))

const isDeclined = (answer: TransactionAnswer) => answer.isApproved !== true && hasErrorCode(answer)
