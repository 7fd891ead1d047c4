import { type Fields, isTrue } from './fields.ts'
import { INVALID_CARD, type Refusal, UNREADABLE_CARD } from './refusals.ts'

/** What remains of a card or bank account once it was read: enough for every answer, and no secret. The full numbers
 * and the CVV are never kept, which is why a token can be charged again only because outcomes do not depend on them. */
export interface Instrument {
  readonly tender: 'CARD' | 'ACH'
  readonly brand: string
  readonly last4: string
  /** MMYY; null for a bank account. */
  readonly expiration: string | null
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly zip: string | undefined
  readonly keyed: boolean
  readonly swiped: boolean
}

/** Reads the payment data of a request that passed its checks. */
export function readInstrument(fields: Fields): Instrument {
  if (fields.tender_type === 'ACH') return bankAccount(fields)
  return fields.card_tracks === undefined ? keyedCard(fields) : swipedCard(fields)
}

/** The stored instrument with whatever a reissue changes: name, expiration, zip (notes of the 2015 token page). */
export const reissued = (stored: Instrument, fields: Fields): Instrument => ({
  ...stored,
  expiration: stored.tender === 'CARD' ? (fields.card_expiration ?? stored.expiration) : null,
  firstName: fields.first_name ?? stored.firstName,
  lastName: fields.last_name ?? stored.lastName,
  zip: fields.zip ?? stored.zip,
})

export const isReissue = (fields: Fields): boolean => fields.token_id !== undefined && isTrue(fields.reissue)

/** Why PayConex cannot read the card, in the words recorded by ActiveMerchant's remote tests: "BogusCard" is an INVALID
 * CARD NUMBER, while 141241, 12321 and a track with 11 digits are CARD DATA UNREADABLE. */
export function refuseCard(fields: Fields): Refusal | undefined {
  if (fields.card_tracks !== undefined && !track(fields)) return UNREADABLE_CARD
  const number = cardNumber(fields)
  if (!/^\d+$/.test(number) || number.length > 16) return INVALID_CARD
  return number.length < 13 ? UNREADABLE_CARD : undefined
}

const keyedCard = (fields: Fields): Instrument => ({
  tender: 'CARD',
  brand: brandOf(cardNumber(fields)),
  last4: cardNumber(fields).slice(-4),
  expiration: fields.card_expiration ?? null,
  firstName: fields.first_name,
  lastName: fields.last_name,
  zip: fields.zip,
  keyed: true,
  swiped: false,
})

/** Name and expiration come from the track: the recorded answer says "L." "LONGSEN" and 1215 for a track with 1512. */
const swipedCard = (fields: Fields): Instrument => ({
  ...keyedCard(fields),
  expiration: `${track(fields)?.month}${track(fields)?.year}`,
  firstName: track(fields)?.first?.trim(),
  lastName: track(fields)?.last?.trim(),
  keyed: false,
  swiped: true,
})

const bankAccount = (fields: Fields): Instrument => ({
  tender: 'ACH',
  brand: 'ACH',
  last4: (fields.bank_account_number ?? '').slice(-4),
  expiration: null,
  firstName: fields.first_name,
  lastName: fields.last_name,
  zip: fields.zip,
  keyed: true,
  swiped: false,
})

const cardNumber = (fields: Fields) => track(fields)?.number ?? fields.card_number ?? ''

/** Track 1 of a magnetic stripe: %B<number>^<LAST>/<FIRST>^<YYMM>... */
const TRACK = /^%?B(?<number>\d+)\^(?<last>[^/^]*)\/?(?<first>[^^]*)\^(?<year>\d\d)(?<month>\d\d)/

const track = (fields: Fields) => TRACK.exec(fields.card_tracks ?? '')?.groups

/** UNKNOWN is our word: no recording shows a card of another brand. */
const brandOf = (number: string) => brands.find(([prefix]) => prefix.test(number))?.[1] ?? 'UNKNOWN'

const brands: readonly (readonly [RegExp, string])[] = [
  [/^4/, 'VISA'],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, 'MASTERCARD'],
  [/^3[47]/, 'AMERICAN EXPRESS'],
  [/^(6011|64[4-9]|65)/, 'DISCOVER'],
]
