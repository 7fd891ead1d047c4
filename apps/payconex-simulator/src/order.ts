import { type Fields, findMalformed, toCents } from './fields.ts'
import { type Instrument, isReissue, readInstrument, refuseCard, reissued } from './instrument.ts'
import type { Entry, Ledger } from './ledger.ts'
import {
  INVALID_ACCOUNT,
  INVALID_ROUTING_NUMBER,
  INVALID_TOKEN,
  invalidField,
  type Refusal,
  WRONG_KEY,
} from './refusals.ts'

/** A well-formed QSAPI request: what shall be done, with which instrument, under which names. */
export interface Order {
  readonly type: TransactionType
  readonly accountId: string
  readonly cents: number
  readonly instrument: Instrument
  /** The transaction that CAPTURE, REFUND and REVERSAL act on. */
  readonly original: Entry | undefined
  readonly tokenId: string | undefined
  readonly reissue: boolean
  /** An id reserved through TSAPI, which the new transaction shall take. */
  readonly transactionId: string | undefined
  readonly customId: string | undefined
  readonly customData: string | undefined
  readonly description: string | undefined
  readonly checkNumber: string | undefined
  readonly currency: string
  readonly cvvGiven: boolean
}

export type TransactionType = keyof typeof rules

/** Reads an order out of a form, or says why not. The sources do not tell in which order PayConex looks; ours is
 * account, token, field formats; what the processor thinks of it comes later (`processor.ts`). */
export function readOrder(fields: Fields, ledger: Ledger): Order | Refusal {
  const refusal = refuseAccount(fields)
  if (refusal) return refusal
  const type = transactionTypes.find((known) => known === fields.transaction_type)
  if (!type) return invalidField('transaction_type')
  const rule: Rule = rules[type]
  const request = { type, rule, fields, named: findToken({ rule, fields, ledger }) }
  return refuseToken(request) ?? refuseFormats(request) ?? toOrder(request)
}

/** A form that is being read. */
interface Request {
  readonly type: TransactionType
  readonly rule: Rule
  readonly fields: Fields
  /** The transaction its token_id names. */
  readonly named: Entry | undefined
}

/** Every account id of twelve digits exists, with any key except `wrong`: tests need accounts, not a registry. */
export function refuseAccount(fields: Fields): Refusal | undefined {
  if (!/^\d{12}$/.test(fields.account_id ?? '') || fields.api_accesskey === undefined) return INVALID_ACCOUNT
  return fields.api_accesskey === 'wrong' ? WRONG_KEY : undefined
}

/** What each type needs. `actsOn`: the types of transaction its token may name; without it, token_id is only a former
 * transaction whose card is used again. `amount`: positive, or also zero, or not needed at all. */
const rules = {
  SALE: { amount: 'positive' },
  AUTHORIZATION: { amount: 'zero' },
  STORE: { amount: 'none' },
  CREDIT: { amount: 'positive' },
  CAPTURE: { amount: 'none', actsOn: ['AUTHORIZATION'] },
  REFUND: { amount: 'none', actsOn: ['SALE', 'CAPTURE'] },
  REVERSAL: { amount: 'none', actsOn: ['SALE', 'AUTHORIZATION'] },
} as const satisfies Record<string, Rule>

interface Rule {
  readonly amount: 'positive' | 'zero' | 'none'
  readonly actsOn?: readonly string[]
}

export const transactionTypes = Object.keys(rules) as TransactionType[]

/** A token is good within its account, if the transaction was not declined and is one that the request can act on. */
function findToken({ rule: { actsOn }, fields, ledger }: Pick<Request, 'rule' | 'fields'> & { ledger: Ledger }) {
  return ledger
    .find(fields.account_id ?? '', fields.token_id ?? '')
    .find(({ verdict, order }) => verdict.approved && (!actsOn || actsOn.includes(order.type)))
}

function refuseToken({ rule, fields, named }: Request): Refusal | undefined {
  const needsToken = rule.actsOn !== undefined || fields.token_id !== undefined
  return needsToken && !named ? INVALID_TOKEN : undefined
}

function refuseFormats({ rule, fields }: Request): Refusal | undefined {
  const takesPaymentData = !rule.actsOn && !isReissue(fields)
  return (
    findMalformed(fields) ?? refuseAmount(rule, fields) ?? (takesPaymentData ? refusePaymentData(fields) : undefined)
  )
}

function refuseAmount({ amount }: Rule, fields: Fields): Refusal | undefined {
  const cents = toCents(fields.transaction_amount)
  const enough = amount === 'none' || (cents !== undefined && (cents > 0 || amount === 'zero'))
  return enough ? undefined : invalidField('transaction_amount')
}

function refusePaymentData(fields: Fields): Refusal | undefined {
  if (fields.tender_type === undefined) return invalidField('tender_type')
  if (fields.tender_type === 'ACH') return refuseBankAccount(fields)
  const needsExpiration = fields.card_tracks === undefined && fields.card_expiration === undefined
  return refuseCard(fields) ?? (needsExpiration ? invalidField('card_expiration') : undefined)
}

/** NACHA wants to know whose account it is, so both names are required. */
function refuseBankAccount(fields: Fields): Refusal | undefined {
  if (fields.bank_routing_number === undefined) return INVALID_ROUTING_NUMBER
  const missing = ['bank_account_number', 'first_name', 'last_name'].find((name) => fields[name] === undefined)
  return missing === undefined ? undefined : invalidField(missing)
}

function toOrder({ type, rule, fields, named }: Request): Order {
  const reissue = !rule.actsOn && isReissue(fields)
  const original = rule.actsOn ? named : undefined
  return {
    type,
    accountId: fields.account_id ?? '',
    cents: amountOf(type, fields, original),
    instrument:
      original?.order.instrument ??
      (reissue && named ? reissued(named.order.instrument, fields) : readInstrument(fields)),
    original,
    tokenId: fields.token_id,
    reissue,
    transactionId: fields.transaction_id,
    // A recorded CAPTURE, REFUND and REVERSAL carry the description of their original although none was sent with them;
    // we take the same for custom_id and custom_data. A reissue is a payment of its own: it inherits no custom_id.
    description: fields.transaction_description ?? named?.order.description,
    customId: fields.custom_id ?? original?.order.customId,
    customData: fields.custom_data ?? original?.order.customData,
    checkNumber: fields.check_number ?? original?.order.checkNumber,
    currency: (fields.currency ?? 'USD').toUpperCase(),
    cvvGiven: fields.card_verification !== undefined,
  }
}

/** A follow-up without an amount is about the whole of the original, and a REVERSAL always is. */
function amountOf(type: TransactionType, fields: Fields, original: Entry | undefined): number {
  const asked = type === 'REVERSAL' ? undefined : toCents(fields.transaction_amount)
  return asked ?? original?.cents ?? 0
}
