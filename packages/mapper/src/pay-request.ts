import { z } from 'zod'
import { parseAmount } from './amount.ts'
import { given, isPlainObject } from './given.ts'
import { type Instrument, readInstrument } from './instrument.ts'
import { type Method, readMethod } from './method.ts'
import { type FieldsRead, readFields } from './read-fields.ts'

/** One payment as Twilio's Generic Pay Connector asks for it, read and checked. `amount` has two decimals, "10.00";
 * amount and currency are there exactly for a charge. https://www.twilio.com/docs/voice/twiml/pay/generic-pay-connector */
export type PayRequest = {
  method: Method
  transactionId: string
  instrument: Instrument
  amount?: string
  currency?: string
  description?: string
  postalCode?: string
  parameters: Record<string, string>
}

/** The path says the method for clients of before 2022. The first currency is the one meant when the request has none. */
export type ParseOptions = { pathMethod?: Method | undefined; currencies: readonly string[] }

/** A refusal names the field as Twilio spells it; its method tells whether the answer has a charge_id or a token_id. */
export type ParsedPayRequest = { ok: true; request: PayRequest } | { ok: false; method: Method; field: string }

/** The door for the HTTP body, already JSON. Liberal in spelling, strict in meaning: whatever could charge another amount,
 * another account or in another currency than was meant is refused here, before anything is queued. */
export function parsePayRequest(body: Record<string, unknown>, options: ParseOptions): ParsedPayRequest {
  const fields = given(body)
  const { method, isClear } = readMethod(fields.method, options.pathMethod)
  if (!isClear) return { ok: false, method, field: 'method' }
  const basics = readFields(anyPayment, fields)
  if (!basics.ok) return { ...basics, method }
  const instrument = readInstrument(fields)
  if (!instrument.ok) return { ...instrument, method }
  const money = method === 'charge' ? readMoney(fields, options.currencies) : NO_MONEY
  if (!money.ok) return { ...money, method }
  return { ok: true, request: { method, ...basics.values, instrument: instrument.values, ...money.values } }
}

/** A number where the documentation has text. */
const text = z.union([z.string(), z.number().transform(String)])

/** PayConex keeps 50 characters of it in `custom_id`. A surrogate without its other half is refused together with control
 * characters: written as UTF-8, all of them look the same, and two payments must never have one id. */
const transactionId = z
  .union([z.string(), z.int().transform(String)])
  .pipe(z.string().regex(/^[^\p{Cc}\p{Cs}]{1,50}$/u))

/** A description that is not text is not worth refusing a payment for. One longer than PayConex's limit is a mistake. */
const description = z.preprocess(
  (value) => (typeof value === 'object' || typeof value === 'boolean' ? undefined : value),
  text.pipe(z.string().max(65_000)).optional(),
)

const parameters = z
  .custom<Record<string, unknown>>(isPlainObject)
  .transform(toStrings)
  .default(() => toStrings({}))

const anyPayment = z
  .object({
    transaction_id: transactionId,
    description,
    postal_code: text.pipe(z.string().max(10)).optional(),
    parameters,
  })
  .transform(({ transaction_id, description, postal_code, parameters }) => ({
    transactionId: transaction_id,
    ...(description && { description }),
    ...(postal_code && { postalCode: postal_code }),
    parameters,
  }))

/** Parameters may be of any JSON type at Telnyx, PayConex knows text only. Null, objects and lists say nothing there. The
 * result has no prototype, so that a key such as `__proto__` or `constructor` is a key like any other. */
function toStrings(values: Record<string, unknown>): Record<string, string> {
  const strings: Record<string, string> = Object.create(null)
  for (const [key, value] of Object.entries(values)) {
    const spelled = spell(value)
    if (spelled !== undefined) strings[key] = spelled
  }
  return strings
}

function spell(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

const money = z.object({
  amount: z.union([z.string(), z.number()]).transform(parseAmount).pipe(z.string()),
  currency_code: z
    .string()
    .regex(/^[a-z]{3}$/i)
    .toUpperCase()
    .optional(),
})

const NO_MONEY = { ok: true, values: {} } as const

/** A currency we are not set up for is refused: PayConex is not told the currency and would charge so many dollars. */
function readMoney(
  fields: Record<string, unknown>,
  currencies: readonly string[],
): FieldsRead<{ amount: string; currency: string }> {
  const read = readFields(money, fields)
  if (!read.ok) return read
  const { amount, currency_code: currency = currencies[0] } = read.values
  return currency !== undefined && currencies.includes(currency)
    ? { ok: true, values: { amount, currency } }
    : { ok: false, field: 'currency_code' }
}
