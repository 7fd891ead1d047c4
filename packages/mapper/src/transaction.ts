import { accountTypeOf, findAccountType } from './account-type.ts'
import type { Credentials } from './credentials.ts'
import type { Instrument } from './instrument.ts'
import type { Method } from './method.ts'
import { type Parameters, type PassRules, passOn, toParameters } from './parameters.ts'
import type { PayRequest } from './pay-request.ts'
import { AVS_NAME, payerName } from './payer-name.ts'
import type { Secret } from './secret.ts'

/** What PayConex is asked: the form fields of a QSAPI request as the wire spells them. The reserved transaction_id is not
 * among them; the PayConex client adds it. https://developers.bluefin.com/payconex/docs/using-payconex-with-twilio */
export type Transaction = {
  type: 'SALE' | 'AUTHORIZATION' | 'STORE'
  amount?: string
  fields: Readonly<Record<string, string | Secret>>
}

/** From configuration: names to allow besides PayConex's documented ones, and values for what the request leaves open. */
export type MappingOptions = {
  extraParameters: readonly string[]
  defaultParameters: Readonly<Record<string, string>>
}

/** Twilio's words into PayConex's. Total: every parsed request has a transaction. `dropped` is how many of the caller's
 * parameters PayConex will not see. What the request says in a field of its own wins over its parameters, and those over
 * the defaults. */
export function toTransaction(request: PayRequest, credentials: Credentials, options: MappingOptions) {
  const parameters = toParameters(request.parameters)
  const defaults = toParameters(options.defaultParameters)
  const type = transactionType(request.method, [...parameters, ...defaults])
  const mapped = mappedFields(request, credentials, type)
  const rules = passRules(request, options, mapped)
  const passed = passOn(parameters, rules)
  const fallback = defaultFields(request.instrument, defaults, rules)
  const fields = { ...fallback, ...payerName(parameters), ...passed.fields, ...mapped }
  const transaction: Transaction = { type, ...(request.amount && { amount: request.amount }), fields }
  return { transaction, dropped: passed.dropped }
}

/** A charge is a SALE. AUTHORIZATION, which only holds the money, is the one other thing a parameter can turn it into; it
 * means nothing to a STORE. */
function transactionType(method: Method, parameters: Parameters): Transaction['type'] {
  const stated = parameters.find(([folded]) => folded === TRANSACTION_TYPE)
  if (method === 'tokenize') return 'STORE'
  return stated !== undefined && isAuthorization(...stated) ? 'AUTHORIZATION' : 'SALE'
}

const TRANSACTION_TYPE = 'transactiontype'

const isAuthorization = (folded: string, value: string) =>
  folded === TRANSACTION_TYPE && value.toUpperCase() === 'AUTHORIZATION'

function mappedFields(request: PayRequest, credentials: Credentials, type: Transaction['type']) {
  return present({
    account_id: credentials.accountId,
    api_accesskey: credentials.accessKey,
    response_format: 'JSON',
    transaction_type: type,
    custom_id: request.transactionId,
    transaction_amount: request.amount,
    transaction_description: request.description,
    zip: request.postalCode,
    ...instrumentFields(request.instrument),
  })
}

/** `tender_type` is required, yet the bridge's table has no field for it: it follows from what was collected. */
const instrumentFields = (instrument: Instrument) =>
  instrument.kind === 'card'
    ? {
        tender_type: 'CARD',
        card_number: instrument.number,
        card_expiration: instrument.expiration,
        card_verification: instrument.verification,
      }
    : {
        tender_type: 'ACH',
        bank_account_number: instrument.accountNumber,
        bank_routing_number: instrument.routingNumber,
        ach_account_type: instrument.accountType,
      }

function present(fields: Record<string, string | Secret | undefined>): Record<string, string | Secret> {
  const isPresent = (field: [string, string | Secret | undefined]): field is [string, string | Secret] =>
    field[1] !== undefined
  return Object.fromEntries(Object.entries(fields).filter(isPresent))
}

const passRules = ({ instrument }: PayRequest, { extraParameters }: MappingOptions, taken: PassRules['taken']) => ({
  extraParameters,
  taken,
  readElsewhere: (folded: string, value: string) =>
    folded === AVS_NAME ||
    isAuthorization(folded, value) ||
    (instrument.kind === 'bank' && accountTypeOf(folded, value) !== undefined),
})

/** What a caller says himself is passed on whatever is charged, as the bridge does; PayConex judges it. A default is said to
 * cards and bank accounts alike and goes only where it means something: no ach_sec_code with a card. */
const DEFAULTS_FOR: Readonly<Record<string, Instrument['kind']>> = {
  ach_sec_code: 'bank',
  ach_opcode: 'bank',
  check_number: 'bank',
  payment_type: 'card',
  disable_avs: 'card',
  disable_cvv: 'card',
}

function defaultFields({ kind }: Instrument, defaults: Parameters, rules: PassRules) {
  const isFitting = (name: string) => (DEFAULTS_FOR[name] ?? kind) === kind
  const accountType = kind === 'bank' ? findAccountType(defaults) : undefined
  const passed = Object.entries(passOn(defaults, rules).fields).filter(([name]) => isFitting(name))
  return { ...payerName(defaults), ...Object.fromEntries(passed), ...present({ ach_account_type: accountType }) }
}
