/** Every PayConex parameter a caller may set through `parameters`. Bluefin's table is on GitHub, in rcox-bf/BF-doc,
 * PayConex/variable-index/qsapi/qsapi-request-parameters.md. */
const ALLOWED = [
  ...['group', 'transaction_description', 'custom_data', 'check_number', 'ach_sec_code', 'ach_opcode'],
  ...['first_name', 'last_name', 'street_address1', 'street_address2', 'city', 'state', 'zip', 'country'],
  ...['phone', 'email', 'send_customer_receipt', 'send_merchant_receipt', 'ip_address', 'cashier'],
  ...['disable_avs', 'disable_cvv', 'disable_fraudfirewall'],
  ...['payment_type', 'installment_number', 'installment_count'],
  ...['level2_tax', 'level2_zip', 'level2_order_id', 'level2_merchant_reference'],
  ...['restaurant_server_id', 'restaurant_gratuity'],
]

/** What no parameter may ever set, whatever the configuration says. Each could move the money elsewhere, change what or
 * whom is charged, undo our protection against charging twice, or make the answer unreadable. */
const FORBIDDEN = [
  ...['account_id', 'api_accesskey', 'timestamp'],
  ...['tender_type', 'transaction_type', 'token_id', 'reissue', 'transaction_id', 'custom_id'],
  ...['account_number', 'routing_number', 'ach_account_type', 'etoken', 'apay_payload', 'cvv', 'cvv2'],
  ...['transaction_amount', 'amount', 'allow_partial', 'currency', 'currency_code'],
  ...['authorization_code', 'final_authorization'],
  // `params` with `request_format` is how version 3.7 took all parameters wrapped in one JSON text.
  ...['success_url', 'decline_url', 'response_format', 'request_format', 'params', 'jsonp', 'action'],
]

const FORBIDDEN_BEGINNINGS = ['card', 'bank', 'hash', 'expiry']

/** One spelling for all: a newer copy of Twilio's page says names are converted on the way, but not how, so case, `_`
 * and `-` mean nothing. https://www.twilio.com/docs/voice/twiml/pay/twiml-voice-parameter */
export const fold = (name: string): string => name.toLowerCase().replace(/[_-]/g, '')

const forbidden: ReadonlySet<string> = new Set(FORBIDDEN.map(fold))

/** Whether configuration names a parameter that may not be set. */
export const isForbiddenParameter = (name: string): boolean =>
  forbidden.has(fold(name)) || FORBIDDEN_BEGINNINGS.some((beginning) => fold(name).startsWith(beginning))

/** Folded, and as PayConex spells it. */
export const allowed: ReadonlyMap<string, string> = new Map(ALLOWED.map((name) => [fold(name), name]))

/** A folded name as PayConex spells it, undefined if it may not pass. An extra name that is forbidden is ignored, and so is one that
 * is not a plain word: PHP, should it be on the other side, would read `card.number` as `card_number`. */
export const passableName = (folded: string, extra: readonly string[]): string | undefined =>
  allowed.get(folded) ?? extra.findLast((name) => fold(name) === folded && isPassable(name))

const isPassable = (name: string) => /^\w+$/.test(name) && !isForbiddenParameter(name)
