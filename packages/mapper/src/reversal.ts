import { readAnswer, type Said, type TransactionAnswer } from './answer.ts'
import type { Credentials } from './credentials.ts'
import { isBelievable } from './http-status.ts'
import { type Contradiction, contradiction, refuse, type Unanswered, unanswered } from './outcome.ts'
import { type Declined, hasErrorCode, isRefusal } from './refusal.ts'

/** A charge to be undone, and the id under which PayConex recognises a repeat of that. */
export type Reversal = { credentials: Credentials; chargeId: string; reservedId: string; customId: string }

/** The form fields of a QSAPI REVERSAL. A charge is named by its transaction_id, here called token_id, and PayConex takes all
 * else from it: recorded reversals of ActiveMerchant had neither amount nor tender_type.
 * https://github.com/activemerchant/active_merchant/blob/master/lib/active_merchant/billing/gateways/pay_conex.rb */
export const toReversal = ({ credentials, chargeId, reservedId, customId }: Reversal) => ({
  account_id: credentials.accountId,
  api_accesskey: credentials.accessKey,
  response_format: 'JSON',
  transaction_type: 'REVERSAL',
  token_id: chargeId,
  transaction_id: reservedId,
  custom_id: customId,
})

/** What became of a reversal: undone (with the reversal's own id, unless somebody else has done it before), refused, no answer, or an approval of something else. */
export type ReversalOutcome = { kind: 'reversed'; transactionId?: string } | Declined | Unanswered | Contradiction

/** `isRepeat`: this reversal had been sent under its reserved id before. */
export type AskedReversal = { chargeId: string; reservedId: string; isRepeat?: boolean | undefined }

/** A charge counts as undone only where PayConex says so, whoever did it. A REVERSAL is documented for authorizations and
 * depends on the processor, so a no is an answer like any other. */
export function interpretReversal(httpStatus: number, said: Said, asked: AskedReversal): ReversalOutcome {
  const answer = readAnswer(said)
  if (answer === undefined) return unanswered('the answer could not be read')
  if (!isBelievable(httpStatus, answer)) return unanswered('the HTTP status says nothing about the reversal')
  if (isApproval(answer)) return confirm(answer, asked)
  if (!isRefusal(answer)) return unanswered('the answer says neither yes nor no')
  return answer.code === ALREADY_REVERSED ? { kind: 'reversed' } : refuse(answer, asked)
}

/** "TRANSACTION ID ALREADY REVERSED", recorded in
 * https://github.com/activemerchant/active_merchant/blob/master/test/unit/gateways/pay_conex_test.rb */
export const ALREADY_REVERSED = '20687'

const isApproval = (answer: TransactionAnswer) =>
  answer.isApproved === true && answer.isError !== true && !hasErrorCode(answer)

/** Recorded reversals name the charge they undid; where that is missing, the reserved id is enough. */
function confirm({ transactionId, originalId }: TransactionAnswer, asked: AskedReversal): ReversalOutcome {
  if (transactionId === undefined) return unanswered('approved without a transaction_id')
  if (transactionId !== asked.reservedId) return contradiction('reversed under another transaction_id')
  if (originalId !== undefined && originalId !== asked.chargeId) return contradiction('another charge was reversed')
  return { kind: 'reversed', transactionId }
}
