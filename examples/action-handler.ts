import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

/* A telephone line that takes a payment, as small as it can be: Twilio asks `/call` what to do, and tells `/paid` how <Pay> ended.
 * Take it as a pattern for an application of your own.
 *
 *   node examples/action-handler.ts 3000        then let a Twilio number call https://your.host/call
 *
 * In production also check that a request is Twilio's (X-Twilio-Signature):
 * https://www.twilio.com/docs/usage/security#validating-requests */

/** What Twilio tells the action URL. https://www.twilio.com/docs/voice/twiml/pay#attributes-action */
export type PayResult = Partial<
  Record<'Result' | 'PaymentConfirmationCode' | 'PaymentToken' | 'PaymentError' | 'ConnectorError', string>
>

/** The question: how much, through which connector, and where to tell the end. */
export const askForPayment = (amount: string): string =>
  twiml(
    `<Pay paymentConnector="PayConex" chargeAmount="${amount}" currency="usd" description="Invoice 7" action="/paid"/>`,
  )

/** What the caller hears at the end. Never say that a payment failed when it may have been made, nor offer another try then: that would
 * charge him twice. */
export function speak({ Result, PaymentConfirmationCode, PaymentToken, ConnectorError = '' }: PayResult): string {
  if (Result === 'success' && PaymentConfirmationCode)
    return say(`Thank you. Your payment is approved. Your confirmation number is ${spelled(PaymentConfirmationCode)}.`)
  if (Result === 'success' && PaymentToken) return say('Thank you. Your card is stored.')
  if (Result !== 'payment-connector-error') return say('No payment was made. Good bye.')
  // Twilio does not say whether this holds our code alone or with the message.
  if (/\bunconfirmed\b/.test(ConnectorError))
    return say('We could not confirm your payment. Please do not pay again. We will call you back.')
  if (/\btransaction_id_reused\b/.test(ConnectorError)) return say('This payment was already requested. Good bye.')
  if (/\bunauthorized\b/.test(ConnectorError))
    return say('Payments cannot be taken at the moment. Nothing was charged.')
  if (/\bnot_processed\b/.test(ConnectorError))
    return askAgain('Your payment could not be made just now. Nothing was charged. Please try again.')
  if (/\binvalid_request\b/.test(ConnectorError))
    return askAgain('Something was not understood. Nothing was charged. Please try again.')
  return askAgain('The payment was declined. Nothing was charged. You may try another card.')
}

const say = (words: string) => twiml(`<Say>${escaped(words)}</Say><Hangup/>`)

/** A new <Pay> is a new payment, with a new transaction_id. */
const askAgain = (words: string) => twiml(`<Say>${escaped(words)}</Say><Redirect>/call</Redirect>`)

const twiml = (verbs: string) => `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`

/** Digit by digit. */
const spelled = (id: string) => Array.from(id).join(' ')

const escaped = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

export const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const form = Object.fromEntries(new URLSearchParams(await text(request)))
  response.setHeader('Content-Type', 'text/xml')
  response.end(request.url === '/paid' ? speak(form) : askForPayment('12.50'))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) createServer(answer).listen(process.argv[2] ?? 3000)
