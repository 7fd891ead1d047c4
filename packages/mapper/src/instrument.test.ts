import { describe, expect, it } from 'vitest'
import { accepted, bankCharge, refusedField, visaCharge } from './fixtures.ts'
import type { Secret } from './secret.ts'

const card = (changes: Record<string, unknown>) => {
  const { instrument } = accepted({ ...visaCharge, ...changes })
  if (instrument.kind !== 'card') throw new Error('not a card')
  return instrument
}

const bank = (changes: Record<string, unknown>) => {
  const { instrument } = accepted({ ...bankCharge, ...changes })
  if (instrument.kind !== 'bank') throw new Error('not a bank account')
  return instrument
}

const shown = (secret: Secret | undefined) => secret?.expose()

describe('a card', () => {
  it('is a number, an expiration as MMYY and a verification, all of them secret', () => {
    const { number, expiration, verification } = card({})

    expect([number, expiration, verification].map(shown)).toEqual(['4111111111111111', '0827', '123'])
  })

  it.each(['4111 1111 1111 1111', '4111-1111-1111-1111', 4111111111111111])('may have the number %j', (cardnumber) => {
    expect(card({ cardnumber }).number.expose()).toBe('4111111111111111')
  })

  it.each(['411111111111', '6771798021000008000'])('may be as short or long as %s', (cardnumber) => {
    expect(card({ cardnumber }).number.expose()).toBe(cardnumber)
  })

  it('with a wrong check digit is left to PayConex to refuse', () => {
    expect(card({ cardnumber: '4111111111111112' }).number.expose()).toBe('4111111111111112')
  })

  it.each([
    '41111111111',
    '41111111111111111111',
    '4111x11111111111',
    '4111.1111.1111.1111',
    '٤١١١١١١١١١١١١١١١',
    '4111111111111111\n',
    Number('4111111111111111234'),
    -4111111111111111,
    1e18,
    true,
    ['4111111111111111'],
    { number: '4111111111111111' },
  ])('with the number %j is refused', (cardnumber) => {
    expect(refusedField({ ...visaCharge, cardnumber })).toBe('cardnumber')
  })

  it.each([undefined, null, '', {}])('without a CVV (%j) is accepted', (cvv) => {
    expect(card({ cvv })).not.toHaveProperty('verification')
  })

  it.each([
    ['123', '123'],
    ['0123', '0123'],
    [123, '123'],
    [7, '007'],
    [1234, '1234'],
  ])('with the CVV %j has the verification %s', (cvv, verification) => {
    expect(shown(card({ cvv }).verification)).toBe(verification)
  })

  it.each(['12', '12345', '12a', ' 123', '١٢٣', 12345, -12, 1.5, true, [], { a: 1 }])(
    'with the CVV %j is refused',
    (cvv) => {
      expect(refusedField({ ...visaCharge, cvv })).toBe('cvv')
    },
  )

  it.each([
    ['expiry_month', undefined],
    ['expiry_month', '13'],
    ['expiry_year', null],
    ['expiry_year', '1999'],
  ])('is refused by the name of the field when %s is %j', (field, value) => {
    expect(refusedField({ ...visaCharge, [field]: value })).toBe(field)
  })
})

describe('a bank account', () => {
  it('is an account number and a routing number, both secret', () => {
    const { accountNumber, routingNumber } = bank({})

    expect([accountNumber, routingNumber].map(shown)).toEqual(['15378535', '244183602'])
  })

  it.each([
    ['with gaps', '15-378 535', '15378535'],
    ['as a number', 15378535, '15378535'],
    ['of one digit', '1', '1'],
    ['of 26 digits', '1'.repeat(26), '1'.repeat(26)],
  ])('may have its number %s', (_how, bankaccountnumber, expected) => {
    expect(bank({ bankaccountnumber }).accountNumber.expose()).toBe(expected)
  })

  it.each([undefined, null, '', '1'.repeat(27), '12a', 1.5, -1, true, []])(
    'with the number %j is refused',
    (bankaccountnumber) => {
      expect(refusedField({ ...bankCharge, bankaccountnumber })).toBe('bankaccountnumber')
    },
  )

  it('may have its routing number in the older spelling', () => {
    expect(bank({ routingnumber: undefined, routing_number: '244183602' }).routingNumber.expose()).toBe('244183602')
  })

  it('may have its routing number in both spellings when they agree', () => {
    expect(bank({ routing_number: '244-183-602' }).routingNumber.expose()).toBe('244183602')
  })

  it('whose two routing numbers differ is refused', () => {
    expect(refusedField({ ...bankCharge, routing_number: '021000021' })).toBe('routingnumber')
  })

  it('whose routing number came as a JSON number gets its leading zero back', () => {
    expect(bank({ routingnumber: 21000021 }).routingNumber.expose()).toBe('021000021')
  })

  it('whose routing number has eight digits, like the one in the documentation, is left to PayConex to refuse', () => {
    expect(bank({ routingnumber: '24418360' }).routingNumber.expose()).toBe('24418360')
  })

  it.each([undefined, null, '', '1234567890', '12345678x', 1234567890, true, []])(
    'with the routing number %j is refused',
    (routingnumber) => {
      expect(refusedField({ ...bankCharge, routingnumber })).toBe('routingnumber')
    },
  )

  it('is refused under Twilio’s spelling when the older one is wrong', () => {
    expect(refusedField({ ...bankCharge, routingnumber: null, routing_number: 'x' })).toBe('routingnumber')
  })
})

describe('what is paid with', () => {
  it.each([
    ['a card and a bank account', { ...visaCharge, ...bankCharge }],
    ['a card and an account number', { ...visaCharge, bankaccountnumber: '1' }],
    ['a card and a routing number', { ...visaCharge, routing_number: '244183602' }],
    ['neither', { ...visaCharge, cardnumber: undefined }],
    ['an empty card number', { ...visaCharge, cardnumber: '' }],
  ])('is refused when it is %s', (_what, body) => {
    expect(refusedField(body)).toBe('cardnumber')
  })

  it('is a card when the fields of a bank account are there but empty', () => {
    expect(card({ bankaccountnumber: '', routingnumber: null, routing_number: {} }).kind).toBe('card')
  })

  it('is a bank account when the fields of a card are there but empty', () => {
    expect(bank({ cardnumber: '', cvv: null, expiry_month: '', expiry_year: null }).kind).toBe('bank')
  })
})
