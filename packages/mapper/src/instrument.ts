import { z } from 'zod'
import { type AccountType, findAccountType } from './account-type.ts'
import { expiryMonth, expiryYear, toExpiration } from './expiration.ts'
import { type FieldsRead, readFields } from './read-fields.ts'
import { Secret } from './secret.ts'

/** What is charged or stored. `expiration` is MMYY. */
export type Instrument =
  | { kind: 'card'; number: Secret; expiration: Secret; verification?: Secret }
  | { kind: 'bank'; accountNumber: Secret; routingNumber: Secret; accountType?: AccountType }

/** Reads the card or the bank account. Both together, or neither, is refused: we would have to guess what to charge. */
export function readInstrument(fields: Record<string, unknown>): FieldsRead<Instrument> {
  const routingNumbers = ROUTING_NUMBER_NAMES.flatMap((name) => fields[name] ?? [])
  const hasBank = fields.bankaccountnumber !== undefined || routingNumbers.length > 0
  const hasCard = fields.cardnumber !== undefined
  if (hasCard === hasBank) return { ok: false, field: 'cardnumber' }
  return hasCard
    ? readFields(card, fields)
    : readFields(bank, { ...fields, routingnumber: routingNumbers, accountType: accountType(fields) })
}

/** Twilio's present page has the first, Bluefin's page the second. */
const ROUTING_NUMBER_NAMES = ['routingnumber', 'routing_number'] as const

/** What the caller said on purpose, in `parameters`, comes before what a platform sends along. */
const accountType = (fields: Record<string, unknown>) =>
  findAccountType([...Object.entries(Object(fields.parameters)), ...Object.entries(fields)])

/** Digits as text or as a JSON number, which has lost its leading zeros: `width` puts them back where the number of digits
 * is known. Numbers too long for a float to be exact are refused rather than rounded to somebody else's card. */
const digits = (width: number) =>
  z.union([
    z.string(),
    z
      .int()
      .nonnegative()
      .transform((value) => String(value).padStart(width, '0')),
  ])

const withoutGaps = (text: string) => text.replace(/[ -]/g, '')

const secret = (text: string) => new Secret(text)

/** Twilio collects 12 to 19 digits. No Luhn check: PayConex refuses, and says so in its own words. A CVV of less than
 * three digits can only be a JSON number. */
const card = z
  .object({
    cardnumber: digits(0)
      .transform(withoutGaps)
      .pipe(z.string().regex(/^\d{12,19}$/))
      .transform(secret),
    cvv: digits(3)
      .pipe(z.string().regex(/^\d{3,4}$/))
      .transform(secret)
      .optional(),
    expiry_month: expiryMonth,
    expiry_year: expiryYear,
  })
  .transform(
    ({ cardnumber, cvv, expiry_month, expiry_year }): Instrument => ({
      kind: 'card',
      number: cardnumber,
      expiration: secret(toExpiration(expiry_month, expiry_year)),
      ...(cvv && { verification: cvv }),
    }),
  )

/** PayConex takes up to 26 digits for an account and 9 for a routing number. Fewer than nine pass when they were text, the
 * documentation's own example has eight and it is PayConex that refuses them; as a JSON number they had a zero in front. */
const routingNumber = digits(9)
  .transform(withoutGaps)
  .pipe(z.string().regex(/^\d{1,9}$/))

/** `routingnumber` is the list of all that was said about it, which must be one and the same. */
const bank = z
  .object({
    bankaccountnumber: digits(0)
      .transform(withoutGaps)
      .pipe(z.string().regex(/^\d{1,26}$/))
      .transform(secret),
    routingnumber: z
      .array(routingNumber)
      .transform((said) => [...new Set(said)])
      .pipe(z.tuple([z.string()]))
      .transform(([number]) => secret(number)),
    accountType: z.enum(['CHECKING', 'SAVINGS']).optional(),
  })
  .transform(
    ({ bankaccountnumber, routingnumber, accountType }): Instrument => ({
      kind: 'bank',
      accountNumber: bankaccountnumber,
      routingNumber: routingnumber,
      ...(accountType && { accountType }),
    }),
  )
