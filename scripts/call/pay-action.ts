import type { Answered } from './play-twilio.ts'

/** What the action URL of `<Pay>` is told. https://www.twilio.com/docs/voice/twiml/pay#attributes-action */
export type PayAction = {
  Result: 'success' | 'payment-connector-error'
  PaymentConfirmationCode?: string
  PaymentToken?: string
  PaymentError?: string
  ConnectorError?: string
}

/** How an answer reaches the developer's application: a null `error_code` with an id is a success, all else an error of the
 * connector. The sentence for something that is not an answer is the one in Twilio's tutorial. */
export function toPayAction({ body }: Answered): PayAction {
  const { charge_id: chargeId, token_id: tokenId, error_code: code, error_message: message } = body ?? {}
  if (code === null && chargeId) return { Result: 'success', PaymentConfirmationCode: String(chargeId) }
  if (code === null && tokenId) return { Result: 'success', PaymentToken: String(tokenId) }
  if (!code) return { Result: 'payment-connector-error', PaymentError: 'Got malformed response from Payment Provider.' }
  return {
    Result: 'payment-connector-error',
    ...(message ? { PaymentError: String(message) } : {}),
    ConnectorError: String(code),
  }
}
