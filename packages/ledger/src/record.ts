import { z } from 'zod'

/** Where a payment can stand; design.md section 3 says what each means and what the caller hears. */
export const STATES = [
  'accepted',
  'sending',
  'approved',
  'declined',
  'not_sent',
  'unconfirmed',
  'reversing',
  'reversed',
  'review',
] as const

export type State = (typeof STATES)[number]

/** One payment as the ledger knows it. Times are ms of the ledger's clock. Never anything of a card or bank account. */
export type PaymentRecord = {
  key: string
  state: State
  attempt: number
  fingerprint: string
  /** The ledger's clock when this was read. */
  now: number
  /** First try of this attempt: every deadline counts from here. */
  first: number
  /** When the fence was passed; absent before. */
  sent?: number
  /** How often an unconfirmed payment was looked up since. */
  asked: number
  method: 'charge' | 'tokenize'
  account: string
  custom_id: string
  amount?: string
  /** `<worker>.<nonce>`: who may finish it. */
  owner?: string
  /** PayConex's transaction_id, fetched before the charge; absent where none could be had. */
  reserved?: string
  /** PayConex's transaction_id of the approved transaction. */
  id?: string
  code?: string
  message?: string
  /** When the last try that waited was given up; absent while somebody waits, or has the answer. */
  left?: number
  /** When a look-up could prove for the first time that PayConex does not have it. */
  absent?: number
  /** Somebody may have heard of its approval. */
  heard?: boolean
  /** PayConex's transaction_id, fetched before the reversal of the charge. */
  reversal?: string
  /** How often a reversal was begun. */
  reversals: number
  /** What PayConex said when it was last asked about it, and when that was written down. */
  said?: Said
  /** A person wants it reversed. */
  wanted?: boolean
}

/** `unaskable`: whoever looked had no id, or no credentials, to ask by. */
export const SAYINGS = ['not_found', 'unanswered', 'unaskable'] as const

export type Said = { at: number; what: (typeof SAYINGS)[number] }

/** How long ago the first try of this attempt was when the record was read. A clock that went backwards says nothing about
 * how late it is, so that counts as too late for everything. */
export function elapsedMs({ now, first }: PaymentRecord): number {
  return now < first ? Number.POSITIVE_INFINITY : now - first
}

/** Whether nobody can need what was sealed for this attempt any more: it has an outcome, or a later one has begun. */
export function isAttemptOver({ attempt }: { attempt: number }, latest: PaymentRecord): boolean {
  return latest.attempt > attempt || (latest.state !== 'accepted' && latest.state !== 'sending')
}

/** A record as the scripts tell it, in the order of common.lua, whose last part gateways are not told. What is absent is left out. */
const view = z.object({
  state: z.enum(STATES),
  attempt: z.coerce.number().int().positive(),
  fingerprint: z.string(),
  first: z.coerce.number(),
  method: z.enum(['charge', 'tokenize']),
  account: z.string(),
  custom_id: z.string(),
  amount: z.string().exactOptional(),
  id: z.string().exactOptional(),
  code: z.string().exactOptional(),
  message: z.string().exactOptional(),
  sent: z.coerce.number().exactOptional(),
  asked: z.coerce.number().default(0),
  owner: z.string().exactOptional(),
  reserved: z.string().exactOptional(),
  left: z.coerce.number().exactOptional(),
  absent: z.coerce.number().exactOptional(),
  heard: z.literal('1').transform(Boolean).exactOptional(),
  reversal: z.string().exactOptional(),
  reversals: z.coerce.number().default(0),
  said: z.string().transform(saidOf).exactOptional(),
  wanted: z.string().transform(Boolean).exactOptional(),
})

const NAMES = Object.keys(view.shape) as (keyof typeof view.shape)[]

function saidOf(text: string): Said {
  const [at, what] = text.split(' ')
  return { at: Number(at), what: SAYINGS.find((one) => one === what) ?? 'unanswered' }
}

/** One field: absent in a reply, in a message, or empty in the record. */
const value = z.union([z.string(), z.number(), z.null(), z.literal(false)])

const replyStart = z.tuple([z.string(), z.coerce.number(), z.coerce.number(), z.string()], value)

export type LedgerReply<Verdict extends string> = {
  verdict: Verdict
  /** The number of the ledger's last fence. */
  fences: number
  record: PaymentRecord
}

/** Raised when the ledger holds what this version of the program does not know (a newer one wrote it): going on would be a
 * guess about money. Another process may know it. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord'
  readonly retry = false
}

/** Reads the answer of a script; undefined where there is no record, `UnreadableRecord` where it makes no sense. */
export function parseReply<Verdict extends string>(reply: unknown): LedgerReply<Verdict> | undefined {
  const [verdict, now, fences, key, ...values] = read(replyStart, reply)
  if (verdict === 'none' || isAbsent(values[0])) return undefined
  const record = { key, now, ...read(view, named(values)) }
  return { verdict: verdict as Verdict, fences, record }
}

const newReply = z.tuple([z.literal('new'), z.coerce.number(), z.coerce.number(), z.string(), z.number()])

type Begun = Pick<PaymentRecord, 'fingerprint' | 'method' | 'account' | 'custom_id'> & { amount?: string | undefined }

/** The answer to a try that began an attempt, which tells only what the try does not know; undefined where it is another answer. */
export function parseNew(
  reply: unknown,
  { fingerprint, method, account, custom_id, amount }: Begun,
): LedgerReply<'new'> | undefined {
  if (!Array.isArray(reply) || reply[0] !== 'new') return undefined
  const [verdict, now, fences, key, attempt] = read(newReply, reply)
  const said = { fingerprint, method, account, custom_id, ...(amount && { amount }) }
  const record = { key, state: 'accepted' as const, attempt, ...said, first: now, now, asked: 0, reversals: 0 }
  return { verdict, fences, record }
}

/** So that absent has one spelling. */
const named = (values: readonly unknown[]) =>
  Object.fromEntries(NAMES.map((name, nth) => [name, values[nth]]).filter(([, found]) => !isAbsent(found)))

const isAbsent = (found: unknown) => found === undefined || found === null || found === false || found === ''

function read<Schema extends z.ZodType>(schema: Schema, found: unknown): z.output<Schema> {
  const parsed = schema.safeParse(found)
  if (!parsed.success) throw new UnreadableRecord('the ledger holds what this version does not know')
  return parsed.data
}
