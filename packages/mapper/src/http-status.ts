import type { TransactionAnswer } from './answer.ts'
import { isRefusal } from './refusal.ts'

/** Business answers, also a decline, come with 200.
 * https://developers.bluefin.com/payconex/docs/transaction-flow-diagrams */
export const isSuccess = (httpStatus: number): boolean => httpStatus >= 200 && httpStatus < 300

/** Bodies under these are undocumented, so only a complete refusal is believed. 408, 409, 425 and 429 are missing on purpose:
 * like redirects and 5xx they can come from something in between, and say nothing about the payment. */
const REFUSING: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 413, 415, 422])

/** Whether an answer under this status may be taken at its word. */
export const isBelievable = (httpStatus: number, answer: TransactionAnswer): boolean =>
  isSuccess(httpStatus) || (REFUSING.has(httpStatus) && isRefusal(answer) && saysWhy(answer))

const saysWhy = ({ code, messages }: TransactionAnswer) =>
  code !== undefined || messages.some((message) => message !== undefined)
