import { z } from 'zod'

/** "8", "08" or the number 8. */
export const expiryMonth = z
  .union([z.string(), z.int()])
  .transform((month) => String(month).padStart(2, '0'))
  .pipe(z.string().regex(/^(0[1-9]|1[0-2])$/))

/** Two digits, or four of this century: Twilio's page has "27", its older examples and Bluefin's page have "2022".
 * A JSON number below ten has lost its zero. What comes out are the last two digits.
 *
 * A year in the past is accepted, the bridge's own example has one: refusing an expired card is PayConex's to do.
 * https://developers.bluefin.com/payconex/docs/using-payconex-with-twilio */
export const expiryYear = z
  .union([z.string(), z.int().transform((year) => String(year).padStart(2, '0'))])
  .pipe(z.string().regex(/^(20)?\d\d$/))
  .transform((year) => year.slice(-2))

/** PayConex's `card_expiration`: MMYY without a separator. */
export const toExpiration = (month: string, year: string): string => `${month}${year}`
