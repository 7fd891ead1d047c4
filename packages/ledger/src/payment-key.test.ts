import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkValue } from './book.ts'
import { createIdentity } from './payment-key.ts'

const identity = createIdentity(Buffer.alloc(32, 1))
const payment = { accountId: '120615000001', method: 'charge', transactionId: 'tx-1' }
const body = {
  method: 'charge',
  transaction_id: 'tx-1',
  cardnumber: '4111111111111111',
  cvv: '123',
  parameters: { a: '1' },
}
const fingerprint = (changes: object, accessKey = 'key') =>
  identity.fingerprint({ body: { ...body, ...changes }, accessKey })

/** A ledger outlives a version of this program: under another rule its payments would not be found again. */
describe('under the LEDGER_KEY of bytes 0 to 31', () => {
  const ledgerKey = Buffer.from(Array.from({ length: 32 }, (_, nth) => nth))
  const fixed = createIdentity(ledgerKey)

  it('a payment key is what it has always been', () => {
    const payment = { accountId: '120615000000', method: 'charge', transactionId: 'tx-1' }

    expect(fixed.paymentKey(payment)).toBe('p_HGgmkUTgfqp0jmp43EARWJWag8FcTAjcTtstc2WWVXc')
  })

  it('a fingerprint is what it has always been', () => {
    const body = { list: [1, null], amount: '10.00' }

    expect(fixed.fingerprint({ body, accessKey: 'secret' })).toBe('1.ta6_6MsjU_2BfHs0T7OPVACzpfM9PHf50rM400u4MgI')
  })

  it('the check value of a ledger of format 3 is what it has always been', () => {
    expect(checkValue(ledgerKey, 1)).toBe('V2Ar9omulVa3smmlxvb_mJvRUZi2TKxLmtVJUAJuVgs')
  })
})

describe('the payment key', () => {
  it('names a payment by account, method and transaction_id', () => {
    const key = identity.paymentKey(payment)

    expect(key).toMatch(/^p_[\w-]{43}$/)
    expect(identity.paymentKey({ ...payment })).toBe(key)
    expect(identity.paymentKey({ ...payment, method: 'tokenize' })).not.toBe(key)
    expect(identity.paymentKey({ ...payment, accountId: '120615000002' })).not.toBe(key)
    expect(identity.paymentKey({ ...payment, transactionId: 'tx-2' })).not.toBe(key)
  })

  it('cannot be confused by parts that run into each other', () => {
    const one = identity.paymentKey({ accountId: 'a', method: 'b,c', transactionId: 'd' })
    const other = identity.paymentKey({ accountId: 'a', method: 'b', transactionId: 'c,d' })

    expect(one).not.toBe(other)
  })

  it('depends on LEDGER_KEY', () => {
    expect(createIdentity(randomBytes(32)).paymentKey(payment)).not.toBe(identity.paymentKey(payment))
  })
})

describe('the fingerprint', () => {
  it('is the same for the same request in another order of keys', () => {
    const reordered = Object.fromEntries(Object.entries(body).reverse())

    expect(identity.fingerprint({ body: reordered, accessKey: 'key' })).toBe(fingerprint({}))
  })

  it.each([
    ['another card', { cardnumber: '5555555555554444' }],
    ['another parameter', { parameters: { a: '2' } }],
    ['a member more', { amount: '1.00' }],
  ])('differs for %s', (_, changes) => {
    expect(fingerprint(changes)).not.toBe(fingerprint({}))
  })

  it('differs for another access key', () => {
    expect(fingerprint({}, 'other')).not.toBe(fingerprint({}))
  })

  it.each([
    ['cvv', { cvv: '999' }],
    ['a CVV hidden in parameters', { parameters: { a: '1', card_verification: '999', 'Security-Code': '1' } }],
  ])('knows nothing of %s', (_, changes) => {
    expect(fingerprint(changes)).toBe(fingerprint({}))
  })

  it.each(['CVV', 'c-v-v', '_cvv2_', 'Cvc', 'cardVerification', 'CARD-VERIFICATION', 'security_code'])(
    'knows nothing of a CVV that is called %s',
    (name) => {
      expect(fingerprint({ list: [{ [name]: '999' }] })).toBe(fingerprint({ list: [{}] }))
    },
  )

  it.each(['cvv3', 'my_cvv', 'cvv code', 'card', 'ſecuritycode'])('differs for %s, which is no CVV', (name) => {
    expect(fingerprint({ [name]: '999' })).not.toBe(fingerprint({}))
  })

  it('carries the version of its rule', () => {
    expect(fingerprint({})).toMatch(/^1\./)
  })
})
