import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
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

  it('carries the version of its rule', () => {
    expect(fingerprint({})).toMatch(/^1\./)
  })
})
