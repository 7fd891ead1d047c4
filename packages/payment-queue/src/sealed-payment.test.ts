import { describe, expect, it } from 'vitest'
import { CannotOpen, open, seal } from './seal.ts'
import { openCredentials, openPayment, sealCredentials, sealPayment } from './sealed-payment.ts'
import { exposed, payments, ringOf } from './testing.ts'

const keys = ringOf('k1')
const attempt = { key: 'p_1', attempt: 1 }
const BINDING = 'payment:p_1.1'

/** A payment as another program under the same keys might have sealed it. */
const sealedAs = (content: string) => seal(content, BINDING, keys)

/** The plain text of a sealed payment, as JSON. */
const plainOf = (payment = payments.visaCharge) => JSON.parse(open(sealPayment(payment, attempt, keys), BINDING, keys))

describe('a sealed payment', () => {
  it.each(Object.entries(payments))('opens to the payment that was sealed: %s', (_, payment) => {
    const opened = openPayment(sealPayment(payment, attempt, keys), attempt, keys)

    expect(exposed(opened)).toEqual(exposed(payment))
  })

  it('opens to secrets that cannot be printed', () => {
    const opened = openPayment(sealPayment(payments.visaCharge, attempt, keys), attempt, keys)

    expect(JSON.stringify(opened)).not.toMatch(/411111|0827|0123456789abcdef|"123"/)
  })

  it.each(Object.entries(payments))('shows no digits and no letters of it: %s', (_, payment) => {
    const sealed = sealPayment(payment, attempt, keys)
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1')

    for (const text of [sealed, bytes]) {
      for (const part of ['411111', '111111', '15378535', '244183602', 'Ann', 'charge', '120615000001']) {
        expect(text).not.toContain(part)
      }
    }
  })

  it('keeps what the caller may say in any script, and parameters of any name', () => {
    const said = {
      ...payments.visaCharge.request,
      description: 'Café 🍕 \ud800',
      parameters: { constructor: 'x', toJSON: 'y' },
    }
    const payment = { ...payments.visaCharge, request: said }

    const opened = openPayment(sealPayment(payment, attempt, keys), attempt, keys)

    expect(opened.request.description).toBe('Café 🍕 \ud800')
    expect({ ...opened.request.parameters }).toEqual({ constructor: 'x', toJSON: 'y' })
  })

  it.each([
    ['another attempt', { key: 'p_1', attempt: 2 }],
    ['another payment', { key: 'p_2', attempt: 1 }],
    ['an attempt whose number runs into the key', { key: 'p_1.1', attempt: 1 }],
  ])('does not open for %s', (_, other) => {
    const sealed = sealPayment(payments.visaCharge, attempt, keys)

    expect(() => openPayment(sealed, other, keys)).toThrow(CannotOpen)
  })

  it('does not open in the place of credentials, nor they in its place', () => {
    const payment = sealPayment(payments.visaCharge, attempt, keys)
    const credentials = sealCredentials(payments.visaCharge.credentials, 'p_1', keys)

    expect(() => openCredentials(payment, 'p_1', keys)).toThrow(CannotOpen)
    expect(() => openPayment(credentials, attempt, keys)).toThrow(CannotOpen)
  })
})

describe('a payment sealed by another version', () => {
  const plain = plainOf()
  const { request, credentials } = plain
  const { instrument } = request

  it.each<[string, unknown]>([
    ['has a member more', { ...plain, tip: '1.00' }],
    ['has a member more in its request', { ...plain, request: { ...request, tip: '1.00' } }],
    ['has a member more in its card', { ...plain, request: { ...request, instrument: { ...instrument, pin: '1' } } }],
    ['has a member more in its credentials', { ...plain, credentials: { ...credentials, otp: '1' } }],
    ['lacks its credentials', { request }],
    ['lacks its method', { ...plain, request: { ...request, method: undefined } }],
    ['has another method', { ...plain, request: { ...request, method: 'refund' } }],
    ['has another instrument', { ...plain, request: { ...request, instrument: { kind: 'wallet' } } }],
    [
      'has a card number that is a number',
      { ...plain, request: { ...request, instrument: { ...instrument, number: 4 } } },
    ],
    ['says null', null],
    ['is a list', [plain]],
  ])('does not open when it %s', (_, content) => {
    const sealed = sealedAs(JSON.stringify(content))

    expect(() => openPayment(sealed, attempt, keys)).toThrow(new CannotOpen('OTHER_VERSION'))
  })

  it.each(['4111111111111111 is no JSON {', '', '{"request":'])(
    'does not open, nor is quoted, when it is no JSON: %s',
    (text) => {
      expect(() => openPayment(sealedAs(text), attempt, keys)).toThrow(new CannotOpen('OTHER_VERSION'))
    },
  )
})

describe('sealed credentials', () => {
  const { credentials } = payments.visaCharge

  it('open to the credentials that were sealed', () => {
    const opened = openCredentials(sealCredentials(credentials, 'p_1', keys), 'p_1', keys)

    expect(exposed(opened)).toEqual(exposed(credentials))
  })

  it('do not open for another payment', () => {
    expect(() => openCredentials(sealCredentials(credentials, 'p_1', keys), 'p_2', keys)).toThrow(CannotOpen)
  })
})
