/** A request PayConex turns away without making a transaction: the answer has four members and no transaction_id. */
export interface Refusal {
  /** Recorded as a number mostly, and as a string for unreadable cards; callers must treat it as opaque. */
  readonly code: number | string
  readonly message: string
}

/** Recorded by ActiveMerchant against Bluefin's certification host (test/unit/gateways/pay_conex_test.rb). */
export const INVALID_TOKEN: Refusal = { code: 20006, message: 'Invalid token_id' }
export const INVALID_REFUND_AMOUNT: Refusal = { code: 20017, message: 'INVALID REFUND AMOUNT' }
export const INVALID_ROUTING_NUMBER: Refusal = { code: 20019, message: 'Invalid bank_routing_number' }
export const ALREADY_REVERSED: Refusal = { code: 20687, message: 'TRANSACTION ID ALREADY REVERSED' }
export const UNREADABLE_CARD: Refusal = { code: '30370', message: 'CARD DATA UNREADABLE' }
export const DECLINED: Refusal = { code: 30002, message: 'DECLINED' }

/** The texts of these two are recorded (remote_pay_conex_test.rb), their codes are our guess. */
export const INVALID_CARD: Refusal = { code: '30371', message: 'INVALID CARD NUMBER' }
export const INVALID_ACCOUNT: Refusal = { code: 20001, message: 'Invalid account_id' }

/** Guessed, code and text: no source shows the answer to a wrong key. */
export const WRONG_KEY: Refusal = { code: 20002, message: 'Invalid api_accesskey' }

/** Guessed, code and text: Bluefin documents that a used id is refused "with an error", but not with which. */
export const USED_ID: Refusal = { code: 20090, message: 'TRANSACTION ID ALREADY USED' }

/** The text follows the recorded pattern `Invalid <parameter>`; the code, one for all parameters, is our guess. */
export const invalidField = (name: string): Refusal => ({ code: 20010, message: `Invalid ${name}` })
