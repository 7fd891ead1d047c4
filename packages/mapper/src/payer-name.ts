import type { Parameters } from './parameters.ts'

/** Twilio's convention for the holder of a bank account, folded. https://www.twilio.com/docs/voice/twiml/pay/twiml-voice-parameter */
export const AVS_NAME = 'avsname'

/** PayConex's first and last name from `AVSName`: the last word, and all before it. A single word, a company perhaps, is
 * both: NACHA rules make PayConex refuse a bank payment that lacks one of them. Nothing without an `AVSName`. */
export function payerName(parameters: Parameters): Record<string, string> {
  const [, name = ''] = parameters.find(([folded]) => folded === AVS_NAME) ?? []
  const words = name.trim().split(/\s+/)
  const last = words.at(-1) ?? ''
  return last === '' ? {} : { first_name: words.slice(0, -1).join(' ') || last, last_name: last }
}
