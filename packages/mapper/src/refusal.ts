import type { TransactionAnswer } from './answer.ts'

/** A no from PayConex, in words for the caller. */
export type Declined = { kind: 'declined'; code: string; message: string }

export const toDeclined = ({ code, messages }: TransactionAnswer): Declined => ({
  kind: 'declined',
  code: code !== undefined && isCode(code) ? code : 'declined',
  message: messages.map(speakable).find((message) => message !== '') ?? 'The payment was declined.',
})

/** Codes are opaque: 30002 came as a number, 30370 as text, and no complete table is published. Seven digits, in a row or with
 * something between them, are no code any more and could be somebody's account. */
export const isCode = (text: string): boolean => /^(?!(?:\D*\d){7})[\w.-]{1,20}$/.test(text)

/** Many applications read the message aloud, so it is short and has nothing of an account in it: a run of three digits or
 * more (a CVV has three) is left out, also one with gaps, in whatever script; and what is longer than any word, such as an access key
 * (32 letters and digits) that PayConex repeats. */
const speakable = (message = '') =>
  Array.from(withoutAccounts(message.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')).trim())
    .slice(0, 120)
    .join('')
    .trim()

const withoutAccounts = (message: string) =>
  message.replace(/ ?[\p{L}\p{N}]{20,}/gu, '').replace(/ ?\p{N}(?:[^\p{L}\p{N}]{0,3}\p{N}){2,}/gu, '')

/** Zero in any length and spelling. */
const isZero = (code: string) => /^-?0+(?:\.0+)?$/.test(code)

/** Zero means no error; a missing code means nothing. */
export const saysNoError = ({ code }: TransactionAnswer): boolean => code !== undefined && isZero(code)

export const hasErrorCode = ({ code }: TransactionAnswer): boolean => code !== undefined && !isZero(code)

/** An explicit no that does not contradict itself. */
export const isRefusal = (answer: TransactionAnswer): boolean =>
  answer.isError === true && answer.isApproved !== true && !saysNoError(answer)
