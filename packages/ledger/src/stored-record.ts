import { type PaymentRecord, parseReply } from './record.ts'

/** Under which names the fields of a record lie in Redis, as common.lua writes them, in the order in which the scripts tell them. */
export const NAMES = {
  state: 's',
  attempt: 'n',
  fingerprint: 'f',
  first: 't',
  method: 'm',
  account: 'a',
  custom_id: 'c',
  amount: 'v',
  id: 'i',
  code: 'e',
  message: 'g',
  sent: 'sent',
  asked: 'asked',
  owner: 'o',
  reserved: 'r',
  left: 'left',
  absent: 'absent',
  heard: 'h',
  reversal: 'reversal',
  reversals: 'reversals',
  said: 'said',
  wanted: 'wanted',
} as const

/** For HMGET. What was sealed is not among them. */
export const STORED_NAMES: readonly string[] = Object.values(NAMES)

type Value = string | null
type Fields = Record<keyof typeof NAMES, Value>

/** One record as it was read past the scripts, which those do who have no right to run one; `now` is the ledger's clock. Undefined
 * where there is none, `UnreadableRecord` where it makes no sense. What `recall` in common.lua does, once more: a test compares
 * them in every state. */
export function parseStored(key: string, values: readonly Value[], now: number): PaymentRecord | undefined {
  const names = Object.keys(NAMES) as (keyof Fields)[]
  const fields = Object.fromEntries(names.map((name, nth) => [name, values[nth] ?? null])) as Fields
  return parseReply(['found', now, 0, key, ...Object.values(recalled(fields))])?.record
}

const OVER: Readonly<Record<string, string>> = { a: 'approved', d: 'declined', n: 'not_sent', r: 'reversed' }

/** Of a payment that is over its record says the same in fewer bytes. */
function recalled(fields: Fields): Fields {
  const state = OVER[fields.state ?? '']
  if (state === undefined) return fields
  const isDone = state === 'approved' || state === 'reversed'
  const method = fields.method === 'c' ? 'charge' : 'tokenize'
  return { ...fields, state, method, id: isDone ? (fields.id ?? fields.reserved) : fields.id }
}
