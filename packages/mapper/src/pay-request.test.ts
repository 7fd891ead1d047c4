import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accepted,
  authorization,
  bankCharge,
  bankToken,
  declinedCharge,
  legacyCharge,
  refusedField,
  visaCharge,
  visaToken,
} from './fixtures.ts'
import { type ParseOptions, parsePayRequest } from './pay-request.ts'

const dollars: ParseOptions = { currencies: ['USD'] }
const charge = (changes: Record<string, unknown>) => accepted({ ...visaCharge, ...changes })
const refused = (changes: Record<string, unknown>) => refusedField({ ...visaCharge, ...changes })

describe('the door for the HTTP body', () => {
  it('reads the bridge’s documented example', () => {
    const { instrument, ...rest } = accepted(visaCharge)

    expect(instrument.kind).toBe('card')
    expect(rest).toEqual({
      method: 'charge',
      transactionId: visaCharge.transaction_id,
      amount: '10.00',
      currency: 'USD',
      description: 'Pizza',
      postalCode: '94111',
      parameters: { phone: '4155550100', first_name: 'Ann', last_name: 'Example' },
    })
  })

  it.each(Object.entries({ visaToken, bankCharge, bankToken, declinedCharge, authorization }))(
    'accepts the example %s',
    (_name, body) => {
      expect(refusedField(body)).toBeUndefined()
    },
  )

  it('reads a request of before 2022 by its path', () => {
    expect(accepted(legacyCharge, { ...dollars, pathMethod: 'charge' })).toMatchObject({
      method: 'charge',
      parameters: {},
    })
  })

  it.each([
    ['a path that contradicts it', visaCharge, 'tokenize', 'charge'],
    ['no method at all', legacyCharge, undefined, 'charge'],
    ['a method nobody knows', { ...visaCharge, method: 'refund' }, 'tokenize', 'tokenize'],
  ] as const)('refuses a request with %s', (_what, body, pathMethod, method) => {
    expect(parsePayRequest(body, { ...dollars, pathMethod })).toEqual({
      ok: false,
      method,
      field: 'method',
    })
  })

  it('tells with a refusal whether a token was wanted', () => {
    expect(parsePayRequest({ ...visaToken, cvv: 'x' }, dollars)).toEqual({
      ok: false,
      method: 'tokenize',
      field: 'cvv',
    })
  })

  it('never carries a refused value', () => {
    const parsed = parsePayRequest({ ...visaCharge, cardnumber: '4111-1111-1111-111x' }, dollars)

    expect(JSON.stringify(parsed)).not.toContain('4111')
  })
})

describe('transaction_id', () => {
  it.each(['x', 'x'.repeat(50), '😀'.repeat(50)])('%s is accepted', (id) => {
    expect(charge({ transaction_id: id }).transactionId).toBe(id)
  })

  it('may be a number', () => {
    expect(charge({ transaction_id: 42 }).transactionId).toBe('42')
  })

  it.each([
    undefined,
    null,
    '',
    {},
    'x'.repeat(51),
    '😀'.repeat(51),
    'a\nb',
    'a\u0000',
    '\u009f',
    '\ud800',
    1.5,
    true,
    [],
  ])('%j is refused', (id) => {
    expect(refused({ transaction_id: id })).toBe('transaction_id')
  })
})

describe('amount', () => {
  it.each([
    ['10.0', '10.00'],
    [10.1, '10.10'],
  ])('%j is kept as the decimal %s', (amount, expected) => {
    expect(charge({ amount }).amount).toBe(expected)
  })

  it.each([undefined, null, '', {}, '0', '-1', '10.005', '1000000', '1e2', 1e21, true, ['10.00'], { amount: '10.00' }])(
    '%j is refused for a charge',
    (amount) => {
      expect(refused({ amount })).toBe('amount')
    },
  )

  it.each(['10.00', 'nonsense', undefined])('%j does not matter when storing', (amount) => {
    expect(accepted({ ...visaToken, amount, currency_code: 'XYZ' })).not.toHaveProperty('amount')
  })
})

describe('currency_code', () => {
  it.each(['USD', 'usd', undefined, null, ''])('%j means dollars', (currency) => {
    expect(charge({ currency_code: currency }).currency).toBe('USD')
  })

  it('may be any of the configured ones, the first being meant when there is none', () => {
    const options = { currencies: ['CAD', 'USD'] }

    expect(accepted(visaCharge, options).currency).toBe('USD')
    expect(accepted({ ...visaCharge, currency_code: null }, options).currency).toBe('CAD')
  })

  it.each(['EUR', 'US', 'USDX', 'uſd', ' USD', 840, true, []])(
    '%j is refused, because it would be charged as dollars',
    (currency) => {
      expect(refused({ currency_code: currency })).toBe('currency_code')
    },
  )

  it('is refused when no currency is configured', () => {
    expect(refusedField(visaCharge, { currencies: [] })).toBe('currency_code')
  })

  it('is not asked for when storing', () => {
    expect(accepted({ ...visaToken, currency_code: 'EUR' })).not.toHaveProperty('currency')
  })
})

describe('description', () => {
  it.each([undefined, null, '', {}, { text: 'x' }, [], true])('%j is none', (description) => {
    expect(charge({ description })).not.toHaveProperty('description')
  })

  it.each([
    ['Pizza', 'Pizza'],
    [7, '7'],
    ['x'.repeat(65_000), 'x'.repeat(65_000)],
  ])('%j is passed on', (description, expected) => {
    expect(charge({ description }).description).toBe(expected)
  })

  it('longer than PayConex takes is refused', () => {
    expect(refused({ description: 'x'.repeat(65_001) })).toBe('description')
  })

  it('may be missing altogether', () => {
    expect(accepted(bankToken)).not.toHaveProperty('description')
  })
})

describe('postal_code', () => {
  it.each([
    ['94111', '94111'],
    [94111, '94111'],
    ['M5V 2T6', 'M5V 2T6'],
  ])('%j is passed on', (postalCode, expected) => {
    expect(charge({ postal_code: postalCode }).postalCode).toBe(expected)
  })

  it.each([undefined, null, '', {}])('%j is none', (postalCode) => {
    expect(charge({ postal_code: postalCode })).not.toHaveProperty('postalCode')
  })

  it.each(['12345678901', true, [], { code: '94111' }])('%j is refused', (postalCode) => {
    expect(refused({ postal_code: postalCode })).toBe('postal_code')
  })
})

describe('parameters', () => {
  it.each([undefined, null, {}])('%j are none', (parameters) => {
    expect(charge({ parameters }).parameters).toEqual({})
  })

  it('become text under their own names, and lose what is not', () => {
    const parameters = { Text: 'a', number: 1.5, yes: true, no: false, nothing: null, list: [1], object: { a: 1 } }

    expect(charge({ parameters }).parameters).toEqual({ Text: 'a', number: '1.5', yes: '1', no: '0' })
  })

  it.each([[['a']], 'a=b', 1, true])('%j are refused', (parameters) => {
    expect(refused({ parameters })).toBe('parameters')
  })

  it('may be called like the inner parts of an object without doing harm', () => {
    const parameters = JSON.parse('{"__proto__":"x","constructor":"y","toString":"z"}')

    const read = charge({ parameters }).parameters

    expect(Object.entries(read)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
    ])
    expect({}).not.toHaveProperty('x')
  })

  it('cannot smuggle a field in through the prototype', () => {
    const body = JSON.parse(`{"__proto__":${JSON.stringify(visaCharge)}}`)

    expect(refusedField(body)).toBe('method')
  })
})

describe('whatever JSON is sent', () => {
  const anything = fc.dictionary(fc.string(), fc.jsonValue())
  const fields = Object.keys({ ...visaCharge, ...bankCharge, routing_number: '' })
  const nearMiss = fc.tuple(
    fc.constantFrom(visaCharge, bankCharge, visaToken),
    fc.constantFrom(...fields),
    fc.jsonValue(),
  )

  it('is accepted or refused, and never throws', () => {
    fc.assert(fc.property(anything, (body) => typeof parsePayRequest(body, dollars).ok === 'boolean'))
  })

  it('in one field of a good request is accepted or refused by the name of a field', () => {
    fc.assert(
      fc.property(nearMiss, ([body, field, value]) => {
        const parsed = parsePayRequest({ ...body, [field]: value }, dollars)
        return parsed.ok || fields.includes(parsed.field)
      }),
      { numRuns: 1000 },
    )
  })
})
