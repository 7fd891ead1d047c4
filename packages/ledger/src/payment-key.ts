import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
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
    fingerprint: ({ body, accessKey }) => `1.${hmac(fingerprintKey, canonicalJson([body, accessKey], isVerification))}`,
  }
}

// A key that is a Buffer is made into a key object each time it is used, which costs more than the hash.
const derive = (key: Buffer, purpose: string) => createSecretKey(Buffer.from(hkdfSync('sha256', key, '', purpose, 32)))

const hmac = (key: KeyObject, text: string) => createHmac('sha256', key).update(text).digest('base64url')

const VERIFICATION = ['cvv', 'cvv2', 'cvc', 'cardverification', 'securitycode']

/** Their spellings: any case, `_` and `-` anywhere. */
const SPELLED = new RegExp(`^[_-]*(?:${VERIFICATION.map((name) => [...name].join('[_-]*')).join('|')})[_-]*$`, 'i')

/** The CVV takes part in nothing that is stored (PCI DSS 3.3.1), wherever in the request it stands. */
const isVerification = (name: string) => SPELLED.test(name)
