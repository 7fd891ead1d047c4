import { INVALID_ROUTING_NUMBER, invalidField, type Refusal } from './refusals.ts'

/** What a form says: names as PayConex spells them. An empty value counts as absent. */
export type Fields = Readonly<Record<string, string | undefined>>

/** Reads a form body; a name sent twice has its last value, as in PHP. Anything that is not a form reads as empty. */
export function readFields(body: unknown): Fields {
  if (typeof body !== 'string') return {}
  return Object.fromEntries([...new URLSearchParams(body)].filter(([, value]) => value !== ''))
}

/** Names the first field whose value PayConex would not take, or nothing when all are well-formed. Says nothing about
 * absent fields and nothing about cards, whose refusals have their own words (`instrument.ts`). */
export function findMalformed(fields: Fields): Refusal | undefined {
  const name = Object.keys(formats).find((field) => !isWellFormed(field, fields[field]))
  if (name === undefined) return undefined
  return name === 'bank_routing_number' ? INVALID_ROUTING_NUMBER : invalidField(name)
}

/** Whole cents of a decimal amount ("5", "5.5", "5.50"); undefined for anything else. Never through a float. */
export function toCents(amount: string | undefined): number | undefined {
  const match = /^(\d{1,6})(?:\.(\d{1,2}))?$/.exec(amount ?? '')
  if (!match) return undefined
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
}

export const isTrue = (value: string | undefined): boolean => value === '1' || value === 'true'

const isWellFormed = (name: string, value: string | undefined) => value === undefined || formats[name]?.(value) === true

const matches = (pattern: RegExp) => (value: string) => pattern.test(value)
const upTo = (length: number) => (value: string) => value.length <= length
const boolean = matches(/^(0|1|true|false)$/)

/** Lengths and alphabets of the QSAPI request table (GitHub rcox-bf/BF-doc, qsapi-request-parameters.md). */
const formats: Record<string, (value: string) => boolean> = {
  tender_type: matches(/^(CARD|ACH)$/),
  transaction_amount: (value) => toCents(value) !== undefined,
  transaction_id: matches(/^\d{12}$/),
  card_expiration: matches(/^(0[1-9]|1[0-2])\d\d$/),
  card_verification: matches(/^\d{3,4}$/),
  bank_account_number: matches(/^\d{1,26}$/),
  bank_routing_number: isRoutingNumber,
  check_number: matches(/^\d{1,15}$/),
  // Lower case is accepted in practice: ActiveMerchant's recorded "checking" was.
  ach_account_type: matches(/^(checking|savings)$/i),
  ach_sec_code: matches(/^(CCD|PPD|WEB|TEL|POP|ARC|RCK|DEF)$/),
  payment_type: matches(/^(ECOMMERCE|INSTALLMENT|RECURRING|MOTO)$/),
  first_name: upTo(50),
  last_name: upTo(50),
  street_address1: upTo(50),
  street_address2: upTo(50),
  city: upTo(100),
  state: matches(/^[A-Za-z]{2}$/),
  zip: matches(/^[A-Za-z0-9 -]{1,10}$/),
  country: matches(/^[A-Za-z]{2}$/),
  phone: upTo(20),
  email: upTo(100),
  ip_address: matches(/^\d{1,3}(\.\d{1,3}){3}$/),
  cashier: upTo(100),
  group: matches(/^[A-Za-z0-9]{1,12}$/),
  currency: matches(/^[A-Za-z]{3}$/),
  custom_id: upTo(50),
  custom_data: upTo(65_000),
  transaction_description: upTo(65_000),
  reissue: boolean,
  allow_partial: boolean,
  disable_avs: boolean,
  disable_cvv: boolean,
  disable_fraudfirewall: boolean,
}

/** Nine digits with the ABA checksum. That PayConex computes the checksum is our guess; a number of five digits is
 * recorded as refused, and 244183602 (recorded as accepted) passes. */
function isRoutingNumber(value: string): boolean {
  if (!/^\d{9}$/.test(value)) return false
  const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1]
  return weights.reduce((sum, weight, at) => sum + weight * Number(value[at]), 0) % 10 === 0
}
