import { z } from 'zod'
import { given, isPlainObject } from './given.ts'

/** What PayConex said, in QSAPI or TSAPI. Every member may be missing: a STORE has no `approved`, a refusal often only the
 * error members. https://developers.bluefin.com/payconex/docs/qsapi-response-format */
export type TransactionAnswer = z.infer<typeof answer>

/** The door for PayConex's answers. Undefined for whatever is not one: an HTML page of the firewall in front, half an answer,
 * a member that cannot mean anything. What cannot be read says nothing about the payment. */
export function readAnswer(bodyText: string): TransactionAnswer | undefined {
  const members = parseJson(bodyText) ?? parseForm(bodyText)
  return members && answer.safeParse(given(members)).data
}

/** `trim` also removes a byte order mark. */
function parseJson(bodyText: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(bodyText.trim())
    return isPlainObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** FORM is PayConex's default format, and it has been seen answering so although JSON was asked for. Angle brackets would be
 * encoded in it, so a page that happens to contain `transaction_approved=1` is not taken for an answer. */
function parseForm(bodyText: string): Record<string, unknown> | undefined {
  const text = bodyText.trim()
  return /^\w+=[^<>]*$/.test(text) ? Object.fromEntries(new URLSearchParams(text)) : undefined
}

/** True JSON booleans were recorded; clients have met the others too, and FORM has only text. */
const SPELLED = new Map([
  ...['true', '1', 'y', 'yes'].map((word) => [word, true] as const),
  ...['false', '0', 'n', 'no'].map((word) => [word, false] as const),
])

const spelledBoolean = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((word) => SPELLED.get(String(word).trim().toLowerCase()))
  .pipe(z.boolean())
  .optional()

/** Text, or a number that should have been text. */
const text = z
  .union([z.string(), z.number()])
  .transform((value) => String(value).trim() || undefined)
  .optional()

/** Twelve digits, zeros in front. As a JSON number it would lose them; zero is nobody's id. */
const transactionId = text.transform((id) => (id === undefined || /^0+$/.test(id) ? undefined : padded(id)))

const padded = (id: string) => (/^\d+$/.test(id) ? id.padStart(12, '0') : id)

/** Text for a person, so one that is not text is merely missing. */
const message = z.string().optional().catch(undefined)

const answer = z
  .object({
    transaction_id: transactionId,
    transaction_approved: spelledBoolean,
    error: spelledBoolean,
    found: spelledBoolean,
    error_code: text,
    error_message: message,
    error_msg: message,
    authorization_message: message,
    transaction_amount: text,
    request_amount: text,
  })
  .transform((said) => ({
    transactionId: said.transaction_id,
    isApproved: said.transaction_approved,
    isError: said.error,
    isFound: said.found,
    code: said.error_code,
    messages: [said.error_message, said.error_msg, said.authorization_message],
    amount: said.transaction_amount ?? said.request_amount,
  }))
