import { z } from 'zod'

/** The wire: one row of an RSAPI report, with the members of the answer to its transaction, spelt as PayConex spells them. That a row
 * has these members is a guess, for Bluefin's page on reports was readable only in part. A row that lacks one that is needed is an
 * error, and never a charge less.
 * https://developers.bluefin.com/payconex/docs/reporting-service-api-rsapi */
export type Row = {
  kind: 'charge' | 'token' | 'capture' | 'undo'
  id: string
  /** What an undo undid; absent where the report does not say. */
  originalId?: string | undefined
  customId?: string | undefined
  cents: number
  /** PayConex' own time, `2026-01-05 10:20:30`, without a zone. */
  at: string
  isApproved: boolean
  /** Takes back the whole of what it names, whatever its amount. */
  isWhole: boolean
}

/** Raised when what came is no report, or not the one that was asked for. Its message names a member, never a value. */
export class ForeignReport extends Error {
  override name = 'ForeignReport'
  readonly retry = false
}

/** One row; undefined for a transaction that takes nothing from a payer (a credit, a balance, a settled batch). */
export function readRow(text: string): Row | undefined {
  const given = saidIn(text)
  const kind = KINDS[read(typed, given).transaction_type]
  if (kind === undefined) return undefined
  const row = read(members, given)
  for (const name of NEEDED[kind]) if (row[name] === undefined) throw new ForeignReport(lacks(name))
  return {
    kind,
    id: row.transaction_id,
    originalId: row.original_transaction_id,
    customId: row.custom_id,
    cents: row.transaction_amount ?? 0,
    at: row.transaction_timestamp,
    isApproved: row.transaction_approved !== false && row.error !== true && isZero(row.error_code),
    isWhole: kind === 'undo' && !row.transaction_amount,
  }
}

/** Which transactions concern a payment. A FORCE is a charge, too; a CAPTURE goes on under the id of its authorisation. */
const KINDS: Readonly<Record<string, Row['kind']>> = {
  SALE: 'charge',
  AUTHORIZATION: 'charge',
  FORCE: 'charge',
  CAPTURE: 'capture',
  STORE: 'token',
  REFUND: 'undo',
  REVERSAL: 'undo',
}

/** What the meaning of a row hangs on: a stored card has no amount and is never "approved". */
const NEEDED = {
  charge: ['transaction_approved', 'transaction_amount'],
  capture: ['transaction_approved', 'transaction_amount'],
  undo: ['transaction_approved'],
  token: ['error'],
} as const satisfies Record<Row['kind'], readonly (keyof z.output<typeof members>)[]>

const CENTS = /^(-?)0*(\d{1,9})(?:\.(\d{1,2})0*)?$/

/** Whole cents of a decimal text; a sign says only which way it went. Undefined for whatever is not exactly an amount. */
export function toCents(text: string): number | undefined {
  const [, , whole, decimals = ''] = CENTS.exec(text) ?? []
  return whole === undefined ? undefined : Number(whole) * 100 + Number(decimals.padEnd(2, '0'))
}

const said = z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value).trim())

/** As a JSON number it would lose its zeros. */
const id = said.refine((text) => /^\d{1,12}$/.test(text)).transform((text) => text.padStart(12, '0'))

const SPELLED = new Map([
  ...['true', '1', 'y', 'yes'].map((word) => [word, true] as const),
  ...['false', '0', 'n', 'no'].map((word) => [word, false] as const),
])

const spelledBoolean = said.transform((word) => SPELLED.get(word.toLowerCase())).pipe(z.boolean())

const cents = said.transform(toCents).pipe(z.number())

const typed = z.object({ transaction_type: z.string().transform((type) => type.trim().toUpperCase()) })

const members = z.object({
  transaction_id: id,
  original_transaction_id: id.optional(),
  transaction_timestamp: said.refine((text) => /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)),
  transaction_amount: cents.optional(),
  transaction_approved: spelledBoolean.optional(),
  custom_id: said.optional(),
  error: spelledBoolean.optional(),
  error_code: said.optional(),
})

const NAMES = ['transaction_type', ...Object.keys(members.shape)]

const isZero = (code = '0') => /^-?0+(?:\.0+)?$/.test(code)

/** The members that are known to us and say something. */
function saidIn(text: string): Readonly<Record<string, unknown>> {
  const row = parsed(text)
  return Object.fromEntries(
    NAMES.map((name) => [name, row[name]]).filter(([, value]) => value !== null && value !== ''),
  )
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    throw new ForeignReport('the report has a row that is no JSON')
  }
}

function read<Schema extends z.ZodType>(schema: Schema, row: unknown): z.output<Schema> {
  const result = schema.safeParse(row)
  if (result.success) return result.data
  throw new ForeignReport(lacks(String(result.error.issues[0]?.path[0] ?? 'members')))
}

const lacks = (name: string) => `a row of the report has no ${name} that can be read`

export const dayOfRow = ({ at }: Pick<Row, 'at'>): string => at.slice(0, 'YYYY-MM-DD'.length)
