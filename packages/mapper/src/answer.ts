import { z } from 'zod'
import { contradictsItself } from './contradicts-itself.ts'
import { isPlainObject, isUnset } from './given.ts'
import { countMembers, jsonMembers } from './json-members.ts'

/** What PayConex said, in QSAPI or TSAPI. Every member may be missing: a STORE has no `approved`, a refusal often only the
 * error members. https://developers.bluefin.com/payconex/docs/qsapi-response-format */
export type TransactionAnswer = z.infer<typeof answer>

/** What came: the text, or what was read of it before. */
export type Said = string | TransactionAnswer

/** The door for PayConex's answers. Undefined for whatever is not one: an HTML page of the firewall in front, half an answer,
 * a member that cannot mean anything. What cannot be read says nothing about the payment. */
export const readAnswer = (said: Said): TransactionAnswer | undefined => (typeof said === 'string' ? parse(said) : said)

function parse(bodyText: string): TransactionAnswer | undefined {
  // Also removes a byte order mark.
  const text = bodyText.trim()
  const members = parseJson(text) ?? parseForm(text)
  return members && answer.safeParse(read(inLowerCase(members))).data
}

/** What is said under a name in capitals is said, too, and must not be missed where it is a no. */
const inLowerCase = (members: Members): Members =>
  Object.keys(members).every(isLowerCase)
    ? members
    : Object.fromEntries(Object.entries(members).map(([name, value]) => [name.toLowerCase(), value]))

const isLowerCase = (name: string) => name === name.toLowerCase()

/** The members that are known to us and say something. */
function read(members: Members): Members {
  const said: Record<string, unknown> = {}
  for (const name of NAMES) if (!isUnset(members[name])) said[name] = members[name]
  return said
}

type Members = Readonly<Record<string, unknown>>

function parseJson(text: string): Members | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (!isPlainObject(parsed)) return undefined
    return isPlain(text, Object.keys(parsed)) || !contradictsItself(jsonMembers(text)) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Whether no name can stand there twice, in whatever case, which is so nearly always and spares a closer look. */
const isPlain = (text: string, names: readonly string[]) =>
  names.length === countMembers(text) && names.every(isLowerCase)

/** FORM is PayConex's default format, and it has been seen answering so although JSON was asked for. Angle brackets would be
 * encoded in it, so a page that happens to contain `transaction_approved=1` is not taken for an answer. */
function parseForm(text: string): Members | undefined {
  if (!/^\w+=[^<>]*$/.test(text)) return undefined
  const members = [...new URLSearchParams(text)]
  return contradictsItself(members) ? undefined : Object.fromEntries(members)
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

/** Text, or a number that should have been text. A "null" in quotes says as little as one without. */
const text = z
  .union([z.string(), z.number()])
  .transform(
    (value) =>
      String(value)
        .trim()
        .replace(/^null$/i, '') || undefined,
  )
  .optional()

/** Twelve digits, zeros in front. As a JSON number it would lose them; zero is nobody's id. */
const transactionId = text.transform((id) => (id === undefined || /^0+$/.test(id) ? undefined : padded(id)))

const padded = (id: string) => (/^\d+$/.test(id) ? id.padStart(12, '0') : id)

/** QSAPI takes twelve digits and gives them. Anything else is not to be handed on as an id: it could be an account's number. */
export const isTransactionId = (id: string | undefined): id is string => /^\d{12}$/.test(id ?? '')

/** Text for a person, so one that is not text is merely missing. */
const message = z.string().optional().catch(undefined)

const saidMembers = z.object({
  transaction_id: transactionId,
  original_transaction_id: transactionId,
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

const NAMES = Object.keys(saidMembers.shape)

const answer = saidMembers.transform((said) => ({
  transactionId: said.transaction_id,
  originalId: said.original_transaction_id,
  isApproved: said.transaction_approved,
  isError: said.error,
  isFound: said.found,
  code: said.error_code,
  messages: [said.error_message, said.error_msg, said.authorization_message],
  amount: said.transaction_amount ?? said.request_amount,
}))
