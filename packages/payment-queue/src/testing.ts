import { randomBytes } from 'node:crypto'
import { parsePayRequest, Secret } from '@pay/mapper'
import bankCharge from '../../../examples/charge-bank.json' with { type: 'json' }
import visaCharge from '../../../examples/charge-card.json' with { type: 'json' }
import bankToken from '../../../examples/tokenize-bank.json' with { type: 'json' }
import visaToken from '../../../examples/tokenize-card.json' with { type: 'json' }
import { type SealKeys, sealKeys } from './seal-keys.ts'
import type { Payment } from './sealed-payment.ts'

/** Support for this folder's tests. */

export const keyText = (id: string) => `${id}:${randomBytes(32).toString('base64')}`

/** A ring with fresh keys of these names. */
export const ringOf = (...ids: string[]): SealKeys => sealKeys.parse(ids.map(keyText).join(','))

const paymentOf = (body: Record<string, unknown>): Payment => {
  const parsed = parsePayRequest(body, { currencies: ['USD'] })
  if (!parsed.ok) throw new Error(`refused: ${parsed.field}`)
  const credentials = { accountId: '120615000001', accessKey: new Secret('0123456789abcdef0123456789abcdef') }
  return { request: parsed.request, credentials }
}

/** The requests in `examples/`, parsed, with credentials. */
export const payments = {
  visaCharge: paymentOf(visaCharge),
  visaToken: paymentOf(visaToken),
  bankCharge: paymentOf(bankCharge),
  bankToken: paymentOf(bankToken),
}

/** The payment with every secret laid open, because two different secrets look equal. */
export const exposed = (value: unknown): unknown => {
  if (value instanceof Secret) return { secret: value.expose() }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, exposed(inner)]))
}
