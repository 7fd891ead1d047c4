import { parseAmount } from './amount.ts'
import { isTransactionId, readAnswer, type Said, type TransactionAnswer } from './answer.ts'
import { isBelievable } from './http-status.ts'
import { type Declined, hasErrorCode, isRefusal, toDeclined } from './refusal.ts'
import type { Transaction } from './transaction.ts'

/** What PayConex's answer means: yes, no, or no answer. Reasons are our own words, never text from the answer, so they can be
 * logged. A `contradiction` is an approval of something else than was asked: a person must look at it. */
export type Outcome = { kind: 'approved'; transactionId: string } | Declined | Unanswered | Contradiction

export type Unanswered = { kind: 'unanswered'; reason: string }

export type Contradiction = { kind: 'contradiction'; reason: string }

/** What was asked. `reservedId` is the id fetched beforehand, if one was sent along; `isRepeat` that the transaction had been
 * sent under it before. */
export type Asked = { transaction: Transaction; reservedId?: string | undefined; isRepeat?: boolean | undefined }

/** Whatever is not plainly a yes or a no is `unanswered`: asking again costs a second, a wrong guess costs somebody money. */
export function interpretAnswer(httpStatus: number, said: Said, asked: Asked): Outcome {
  const answer = readAnswer(said)
  if (answer === undefined) return unanswered('the answer could not be read')
  if (!isBelievable(httpStatus, answer)) return unanswered('the HTTP status says nothing about the payment')
  if (isApproval(answer, asked.transaction.type)) return confirm(answer, asked)
  if (isRefusal(answer)) return refuse(answer, asked)
  return unanswered('the answer says neither yes nor no')
}

export const unanswered = (reason: string): Unanswered => ({ kind: 'unanswered', reason })

export const contradiction = (reason: string): Contradiction => ({ kind: 'contradiction', reason })

/** A STORE answer has no `transaction_approved` and must say that there was no error; for the others the approval must be
 * there and nothing speak against it. Seen in the recorded answers of
 * https://github.com/activemerchant/active_merchant/blob/master/test/unit/gateways/pay_conex_test.rb */
const isApproval = (answer: TransactionAnswer, type: Transaction['type']) =>
  !hasErrorCode(answer) &&
  (type === 'STORE'
    ? answer.isError === false && answer.isApproved !== false
    : answer.isError !== true && answer.isApproved === true)

/** Whether what was approved is what was asked. Without a reserved id any id is the right one, if it is one. */
function confirm({ transactionId, amount }: TransactionAnswer, { transaction, reservedId }: Asked): Outcome {
  if (transactionId === undefined) return unanswered('approved without a transaction_id')
  if (reservedId !== undefined && transactionId !== reservedId)
    return contradiction('approved under another transaction_id')
  if (!isTransactionId(transactionId)) return unanswered('approved under what is no transaction_id')
  if (transaction.type === 'STORE') return { kind: 'approved', transactionId }
  if (amount === undefined) return unanswered('approved without an amount')
  if (parseAmount(amount) !== transaction.amount) return contradiction('approved with another amount')
  return { kind: 'approved', transactionId }
}

/** A repeat may be refused only because PayConex knows the id already, with a code nobody has published; then nothing has
 * been said about the payment. */
export function refuse(
  answer: TransactionAnswer,
  { reservedId, isRepeat = false }: Pick<Asked, 'reservedId' | 'isRepeat'>,
): Declined | Unanswered {
  const { transactionId } = answer
  if (transactionId === undefined)
    return isRepeat ? unanswered('a repeat was refused without a transaction_id') : toDeclined(answer)
  const isOurs = reservedId === undefined || transactionId === reservedId
  return isOurs ? toDeclined(answer) : unanswered('declined under another transaction_id')
}
