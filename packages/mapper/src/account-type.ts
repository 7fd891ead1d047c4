import { fold } from './parameter-names.ts'

export type AccountType = 'CHECKING' | 'SAVINGS'

/** The documented body has no field for it, so callers pass it as a parameter of their own, and some platforms put it at
 * the top level. https://www.twilio.com/docs/voice/twiml/pay/generic-pay-connector */
const NAMES: readonly string[] = ['ach_account_type', 'bank_account_type', 'account_type'].map(fold)

/** PayConex's own words and those of Twilio's `bankAccountType`. https://www.twilio.com/docs/voice/twiml/pay */
const MEANINGS: ReadonlyMap<string, AccountType> = new Map([
  ['checking', 'CHECKING'],
  ['savings', 'SAVINGS'],
  ['consumerchecking', 'CHECKING'],
  ['consumersavings', 'SAVINGS'],
  ['commercialchecking', 'CHECKING'],
])

/** The type of account one field states, undefined if the field is about something else or its value is unknown. */
export const accountTypeOf = (name: string, value: unknown): AccountType | undefined =>
  NAMES.includes(fold(name)) && typeof value === 'string' ? MEANINGS.get(fold(value)) : undefined

/** The first type of account stated by any of the fields. None is fine: PayConex takes checking. */
export const findAccountType = (fields: Iterable<readonly [string, unknown]>): AccountType | undefined =>
  Array.from(fields, ([name, value]) => accountTypeOf(name, value)).find((type) => type !== undefined)
