import { createHmac, hkdfSync } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

export type Identity = {
  /** `p_` and 43 characters: names one payment everywhere; says nothing about it without LEDGER_KEY. */
  paymentKey(payment: { accountId: string; method: string; transactionId: string }): string
  /** Tells whether two tries are the same request. Version-tagged, because a change of the rule must not look like
   * another request. */
  fingerprint(request: { body: unknown; accessKey: string }): string
}

/** Two keys from one: so that a payment key can never be mistaken for a fingerprint, nor the other way round. */
export function createIdentity(ledgerKey: Buffer): Identity {
  const nameKey = derive(ledgerKey, 'payment key v1')
  const fingerprintKey = derive(ledgerKey, 'fingerprint v1')
  return {
    paymentKey: ({ accountId, method, transactionId }) =>
      `p_${hmac(nameKey, canonicalJson([accountId, method, transactionId]))}`,
    fingerprint: ({ body, accessKey }) =>
      `1.${hmac(fingerprintKey, canonicalJson([withoutVerification(body), accessKey]))}`,
  }
}

const derive = (key: Buffer, purpose: string) => Buffer.from(hkdfSync('sha256', key, '', purpose, 32))

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('base64url')

/** The CVV takes part in nothing that is stored (PCI DSS 3.3.1), wherever in the request it stands. */
function withoutVerification(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVerification)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !isVerification(name))
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutVerification(inner)]))
}

const VERIFICATION = new Set(['cvv', 'cvv2', 'cvc', 'cardverification', 'securitycode'])

const isVerification = (name: string) => VERIFICATION.has(name.toLowerCase().replaceAll(/[_-]/g, ''))
