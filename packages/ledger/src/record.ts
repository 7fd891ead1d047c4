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
}

/** How long ago the first try of this attempt was when the record was read. A clock that went backwards says nothing about
 * how late it is, so that counts as too late for everything. */
export function elapsedMs({ now, first }: PaymentRecord): number {
  return now < first ? Number.POSITIVE_INFINITY : now - first
}

/** Whether nobody can need what was sealed for this attempt any more: it has an outcome, or a later one has begun. */
export function isAttemptOver({ attempt }: { attempt: number }, latest: PaymentRecord): boolean {
  return latest.attempt > attempt || (latest.state !== 'accepted' && latest.state !== 'sending')
}

/** The order of VIEW in common.lua, after verdict, now and key. */
const FIELDS = z.tuple([
  z.enum(STATES),
  z.coerce.number().int().positive(),
  z.string(),
  z.coerce.number(),
  z.string(),
  z.coerce.number(),
  z.enum(['charge', 'tokenize']),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
])

const REPLY = z.array(z.string())

export type LedgerReply<Verdict extends string> = { verdict: Verdict; record: PaymentRecord; rest: readonly string[] }

/** Raised when the ledger holds what this version of the program does not know (a newer one wrote it): going on would be a
 * guess about money. Another process may know it. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord'
  readonly retry = false
}

/** Reads the answer of a script; undefined where there is no record, `UnreadableRecord` where it makes no sense. */
export function parseReply<Verdict extends string>(reply: unknown): LedgerReply<Verdict> | undefined {
  const [verdict, now, key, ...fields] = read(REPLY, reply)
  if (verdict === 'none' || fields[0] === '' || verdict === undefined) return undefined
  const known = read(FIELDS, fields.slice(0, FIELDS.def.items.length))
  const [state, attempt, fingerprint, first, sent, asked, method, account, custom_id, amount, ...late] = known
  const [owner, reserved, id, code, message] = late
  const record = {
    key: key ?? '',
    state,
    attempt,
    fingerprint,
    now: Number(now),
    first,
    asked,
    method,
    account,
    custom_id,
  }
  const optional = { sent: sent === '' ? undefined : Number(sent), amount, owner, reserved, id, code, message }
  return {
    verdict: verdict as Verdict,
    record: { ...record, ...present(optional) },
    rest: fields.slice(FIELDS.def.items.length),
  }
}

function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new UnreadableRecord('the ledger holds what this version does not know')
  return parsed.data
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Leaves out what is absent, so that absent has one spelling. */
function present<T extends object>(fields: T): Present<T> {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(kept) as Present<T>
}
