import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accepted, authorization, bankCharge, bankToken, visaCharge, visaToken } from './fixtures.ts'
import { isForbiddenParameter } from './parameter-names.ts'
import { Secret } from './secret.ts'
import { type MappingOptions, toTransaction } from './transaction.ts'

const credentials = { accountId: '120615000000', accessKey: new Secret('k'.repeat(32)) }
const plain: MappingOptions = { extraParameters: [], defaultParameters: {} }

const map = (body: Record<string, unknown>, options: Partial<MappingOptions> = {}) =>
  toTransaction(accepted(body), credentials, { ...plain, ...options })

/** The fields as they go over the wire. */
const wire = (body: Record<string, unknown>, options: Partial<MappingOptions> = {}) =>
  Object.fromEntries(
    Object.entries(map(body, options).transaction.fields).map(([name, value]) => [
      name,
      value instanceof Secret ? value.expose() : value,
    ]),
  )

const withParameters = (parameters: Record<string, unknown>) => ({ ...visaCharge, parameters })

const ours = { account_id: '120615000000', api_accesskey: 'k'.repeat(32), response_format: 'JSON' }

describe('a transaction', () => {
  it('that charges a card is the SALE of the bridge’s table', () => {
    expect(wire(visaCharge)).toEqual({
      ...ours,
      tender_type: 'CARD',
      transaction_type: 'SALE',
      custom_id: visaCharge.transaction_id,
      transaction_amount: '10.00',
      transaction_description: 'Pizza',
      card_number: '4111111111111111',
      card_verification: '123',
      card_expiration: '0827',
      zip: '94111',
      phone: '4155550100',
      first_name: 'Ann',
      last_name: 'Example',
    })
  })

  it('that stores a card is a STORE without an amount', () => {
    expect(wire(visaToken)).toEqual({
      ...ours,
      tender_type: 'CARD',
      transaction_type: 'STORE',
      custom_id: visaToken.transaction_id,
      card_number: '4111111111111111',
      card_verification: '123',
      card_expiration: '0827',
      zip: '94111',
      first_name: 'Ann',
      last_name: 'Example',
    })
  })

  it('that charges a bank account is an ACH SALE with the names PayConex requires', () => {
    expect(wire(bankCharge)).toEqual({
      ...ours,
      tender_type: 'ACH',
      transaction_type: 'SALE',
      custom_id: bankCharge.transaction_id,
      transaction_amount: '25.00',
      transaction_description: 'Invoice 7',
      bank_account_number: '15378535',
      bank_routing_number: '244183602',
      first_name: 'Ann',
      last_name: 'Example',
    })
  })

  it('that stores a bank account carries the type of the account', () => {
    expect(wire(bankToken)).toEqual({
      ...ours,
      tender_type: 'ACH',
      transaction_type: 'STORE',
      custom_id: bankToken.transaction_id,
      bank_account_number: '15378535',
      bank_routing_number: '244183602',
      ach_account_type: 'SAVINGS',
      first_name: 'Ann',
      last_name: 'Example',
    })
  })

  it('states its type and amount beside the fields', () => {
    expect(map(visaCharge).transaction).toMatchObject({ type: 'SALE', amount: '10.00' })
    expect(map(visaToken).transaction).not.toHaveProperty('amount')
  })

  it('keeps everything secret that is', () => {
    const { fields } = map(visaCharge).transaction
    const secrets = Object.keys(fields).filter((name) => fields[name] instanceof Secret)

    expect(secrets.sort()).toEqual(['api_accesskey', 'card_expiration', 'card_number', 'card_verification'])
    expect(JSON.stringify(map(bankCharge))).not.toMatch(/15378535|244183602|kkk/)
  })

  it('does not tell PayConex the currency, which its documented table does not have', () => {
    expect(wire(visaCharge)).not.toHaveProperty('currency')
  })
})

describe('the transaction type', () => {
  it('is AUTHORIZATION when the parameters of a charge say so', () => {
    const { transaction, dropped } = map(authorization)

    expect(transaction).toMatchObject({ type: 'AUTHORIZATION', fields: { transaction_type: 'AUTHORIZATION' } })
    expect(dropped).toBe(0)
  })

  it.each(['transactionType', 'TRANSACTION-TYPE'])('may be spelled %s, its value in any case', (name) => {
    expect(map(withParameters({ [name]: 'authorization' })).transaction.type).toBe('AUTHORIZATION')
  })

  it.each(['SALE', 'REFUND', 'CREDIT', 'FORCE', 'CAPTURE', 'STORE', 'SETTLE-BATCH', 'AUTHORIZATION '])(
    'is not changed to %s, which is counted as dropped',
    (type) => {
      const { transaction, dropped } = map(withParameters({ transaction_type: type }))

      expect(transaction.fields.transaction_type).toBe('SALE')
      expect(dropped).toBe(1)
    },
  )

  it('of a STORE stays STORE', () => {
    const { transaction, dropped } = map({ ...visaToken, parameters: { transaction_type: 'AUTHORIZATION' } })

    expect(transaction).toMatchObject({ type: 'STORE', fields: { transaction_type: 'STORE' } })
    expect(dropped).toBe(0)
  })

  it('may be AUTHORIZATION by default, unless the request says otherwise', () => {
    const defaultParameters = { transaction_type: 'AUTHORIZATION' }

    expect(map(visaCharge, { defaultParameters }).transaction.type).toBe('AUTHORIZATION')
    expect(map(withParameters({ transaction_type: 'SALE' }), { defaultParameters }).transaction.type).toBe('SALE')
    expect(map(visaToken, { defaultParameters }).transaction.type).toBe('STORE')
  })
})

const documented = [
  ...['group', 'custom_data', 'check_number', 'ach_sec_code', 'ach_opcode', 'first_name', 'last_name'],
  ...['street_address1', 'street_address2', 'city', 'state', 'country', 'phone', 'email', 'send_customer_receipt'],
  ...['send_merchant_receipt', 'ip_address', 'cashier', 'disable_avs', 'disable_cvv', 'disable_fraudfirewall'],
  ...['payment_type', 'installment_number', 'installment_count', 'level2_tax', 'level2_zip', 'level2_order_id'],
  ...['level2_merchant_reference', 'restaurant_server_id', 'restaurant_gratuity'],
]

const forbidden = [
  ...['account_id', 'api_accesskey', 'hash', 'hash_key', 'timestamp', 'tender_type', 'token_id', 'reissue'],
  ...[
    'transaction_id',
    'custom_id',
    'card_number',
    'card_expiration',
    'card_verification',
    'card_tracks',
    'cardnumber',
  ],
  ...['bank_account_number', 'bank_routing_number', 'account_number', 'routing_number', 'transaction_amount', 'amount'],
  ...['success_url', 'decline_url', 'response_format', 'jsonp', 'allow_partial', 'authorization_code', 'etoken'],
  ...['apay_payload', 'final_authorization', 'currency', 'currency_code', 'request_format', 'params', 'cvv'],
]

describe('a parameter', () => {
  it.each(documented)('%s is passed on', (name) => {
    expect(wire(withParameters({ [name]: '1' }))).toHaveProperty(name, '1')
  })

  it.each(['FIRST_NAME', 'firstName', 'first-name', 'FirstName'])('%s is first_name', (name) => {
    expect(wire(withParameters({ [name]: 'Bob' }))).toHaveProperty('first_name', 'Bob')
  })

  it.each(forbidden)('%s is never passed on, whatever the configuration says', (name) => {
    const spellings = [name, name.toUpperCase(), name.replaceAll('_', '-'), name.replaceAll('_', '')]
    const parameters = Object.fromEntries(spellings.map((spelling) => [spelling, 'evil']))

    const { transaction, dropped } = map(withParameters(parameters), {
      extraParameters: spellings,
      defaultParameters: parameters,
    })

    expect(Object.values(transaction.fields)).not.toContain('evil')
    expect(dropped).toBe(new Set(spellings).size)
  })

  it('that is unknown is dropped and counted', () => {
    const { transaction, dropped } = map(
      withParameters({ favourite_topping: 'olives', first_name: 'Ann', call_sid: 'CA1' }),
    )

    expect(Object.values(transaction.fields)).not.toContain('olives')
    expect(dropped).toBe(2)
  })

  it('that is unknown is passed on when configuration allows it', () => {
    const { transaction, dropped } = map(withParameters({ 'Loyalty-Number': '7' }), {
      extraParameters: ['loyalty_number'],
    })

    expect(transaction.fields).toHaveProperty('loyalty_number', '7')
    expect(dropped).toBe(0)
  })

  it('that is empty says nothing', () => {
    const { transaction, dropped } = map(withParameters({ email: '' }), {
      defaultParameters: { email: 'a@example.com' },
    })

    expect(transaction.fields).toHaveProperty('email', 'a@example.com')
    expect(dropped).toBe(0)
  })

  it('said twice in two spellings is what it was first, and the other is counted as dropped', () => {
    const { transaction, dropped } = map(withParameters({ firstName: 'Ann', first_name: 'Bob' }))

    expect(transaction.fields.first_name).toBe('Ann')
    expect(dropped).toBe(1)
  })

  it('zip does not change the postal code that was collected', () => {
    const { transaction, dropped } = map(withParameters({ zip: '00000' }))

    expect(transaction.fields.zip).toBe('94111')
    expect(dropped).toBe(1)
  })

  it('zip is passed on when no postal code was collected', () => {
    expect(wire({ ...visaCharge, postal_code: '', parameters: { zip: '30303' } }).zip).toBe('30303')
  })

  it('transaction_description is passed on when there is no description', () => {
    const parameters = { transaction_description: 'Pasta' }

    expect(wire({ ...visaCharge, description: {}, parameters }).transaction_description).toBe('Pasta')
    expect(wire(withParameters(parameters)).transaction_description).toBe('Pizza')
  })

  it('AVSName fills only the names that are missing', () => {
    expect(wire(withParameters({ AVSName: 'Ann Example', first_name: 'Bob' }))).toMatchObject({
      first_name: 'Bob',
      last_name: 'Example',
    })
  })

  it('about the type of an account is not sent with a card', () => {
    const { transaction, dropped } = map(withParameters({ ach_account_type: 'SAVINGS' }))

    expect(transaction.fields).not.toHaveProperty('ach_account_type')
    expect(dropped).toBe(1)
  })

  it('about the type of an account with an unknown value is dropped and counted', () => {
    const { transaction, dropped } = map(
      { ...bankCharge, parameters: { bankaccounttype: 'loan' } },
      { extraParameters: ['bankaccounttype', 'ach_account_type'] },
    )

    expect(Object.values(transaction.fields)).not.toContain('loan')
    expect(dropped).toBe(1)
  })

  it('called like the inner parts of an object does no harm', () => {
    const parameters = JSON.parse('{"__proto__":"x","constructor":"y","hasOwnProperty":"z"}')

    const { transaction, dropped } = map(withParameters(parameters), { extraParameters: ['__proto__'] })

    expect(Object.getPrototypeOf(transaction.fields)).toBe(Object.prototype)
    expect(dropped).toBe(2)
  })
})

describe('a default parameter', () => {
  const defaultParameters = { payment_type: 'MOTO', ach_sec_code: 'TEL', cashier: 'phone' }

  it('is used where the request has none', () => {
    expect(wire(visaCharge, { defaultParameters })).toMatchObject({ payment_type: 'MOTO', cashier: 'phone' })
  })

  it('gives way to the request, in whatever spelling', () => {
    expect(wire(withParameters({ PaymentType: 'RECURRING' }), { defaultParameters }).payment_type).toBe('RECURRING')
  })

  it('for bank accounts is not sent with a card', () => {
    expect(wire(visaCharge, { defaultParameters })).not.toHaveProperty('ach_sec_code')
  })

  it('for cards is not sent with a bank account', () => {
    const fields = wire(bankCharge, { defaultParameters })

    expect(fields).toMatchObject({ ach_sec_code: 'TEL', cashier: 'phone' })
    expect(fields).not.toHaveProperty('payment_type')
  })

  it('gives way to what was collected', () => {
    expect(wire(visaCharge, { defaultParameters: { zip: '00000', transaction_description: 'x' } })).toMatchObject({
      zip: '94111',
      transaction_description: 'Pizza',
    })
  })

  it('name gives way to AVSName', () => {
    expect(wire(bankCharge, { defaultParameters: { first_name: 'No', last_name: 'Body' } })).toMatchObject({
      first_name: 'Ann',
      last_name: 'Example',
    })
  })

  it('AVSName and account type are understood like the request’s', () => {
    const fields = wire(
      { ...bankCharge, parameters: {} },
      { defaultParameters: { AVSName: 'No Body', account_type: 'commercial-checking' } },
    )

    expect(fields).toMatchObject({ first_name: 'No', last_name: 'Body', ach_account_type: 'CHECKING' })
  })

  it('that is unknown is not sent, and not counted', () => {
    const { transaction, dropped } = map(visaCharge, { defaultParameters: { topping: 'olives' } })

    expect(Object.values(transaction.fields)).not.toContain('olives')
    expect(dropped).toBe(0)
  })
})

describe('whatever the parameters', () => {
  const names = fc.oneof(
    fc.string(),
    fc.constantFrom(...forbidden, ...documented, 'transaction_type', 'AVSName', '__proto__'),
  )
  const spelled = fc
    .tuple(names, fc.constantFrom(0, 1, 2))
    .map(([name, style]) => (style === 0 ? name : style === 1 ? name.toUpperCase() : name.replaceAll('_', '-')))
  const parameters = fc.dictionary(
    spelled,
    fc.string().map((value) => `evil${value}`),
  )

  it('only allowed fields change, and only names and the like', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(visaCharge, bankCharge, visaToken),
        parameters,
        parameters,
        fc.array(spelled),
        (body, own, defaultParameters, extraParameters) => {
          const fields = wire({ ...body, parameters: own }, { defaultParameters, extraParameters })
          const changed = Object.keys(fields).filter((name) => String(fields[name]).startsWith('evil'))
          expect(changed.filter(isForbiddenParameter)).toEqual([])
          expect(fields).toMatchObject({ ...ours, custom_id: body.transaction_id })
        },
      ),
      { numRuns: 500 },
    )
  })
})
