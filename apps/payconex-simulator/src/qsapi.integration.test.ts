import { describe, expect, test } from 'vitest'
import { ann, bankSale, type Form, type Json, sale, store, visa, withSimulator } from './testing.ts'

const anyId = expect.stringMatching(/^\d{12}$/)
const anyTime = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
const fine = { error: false, error_code: 0, error_message: null, error_msg: null }
const refusal = (code: number | string, message: string) => ({
  error: true,
  error_code: code,
  error_message: message,
  error_msg: message,
})

/** The members every answer about a transaction of Ann's card has. */
const card = {
  transaction_id: anyId,
  tender_type: 'CARD',
  transaction_timestamp: anyTime,
  card_brand: 'VISA',
  last4: '2224',
  card_expiration: '0939',
  ...ann,
  keyed: true,
  swiped: false,
  currency: 'USD',
}

/** Asserts the whole answer, and with it which members are absent. */
const expectAnswer = (answer: Json, expected: object) => expect(answer).toEqual(expected)

describe('the shape of an answer, to the letter', () => {
  test('an approved card sale has code, letters, balance and everything that was sent along', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({
        ...sale,
        zip: '10001',
        transaction_description: 'pizza',
        custom_id: 'abc',
        custom_data: 'x',
      })

      expectAnswer(answer, {
        ...card,
        transaction_type: 'SALE',
        authorization_code: expect.stringMatching(/^CVI\d{3}$/),
        authorization_message: 'APPROVED',
        request_amount: 10,
        transaction_amount: 10,
        transaction_approved: true,
        avs_response: 'Z',
        cvv2_response: 'M',
        transaction_description: 'pizza',
        custom_id: 'abc',
        custom_data: 'x',
        balance: 10,
        ...fine,
      })
    }))

  test('its members come in the recorded order', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({ ...sale, zip: '10001', transaction_description: 'pizza', custom_id: 'abc' })

      expect(Object.keys(answer).join()).toBe(
        'transaction_id,tender_type,transaction_timestamp,card_brand,transaction_type,last4,card_expiration,' +
          'authorization_code,authorization_message,request_amount,transaction_amount,first_name,last_name,keyed,' +
          'swiped,transaction_approved,avs_response,cvv2_response,transaction_description,custom_id,balance,currency,' +
          'error,error_code,error_message,error_msg',
      )
    }))

  test('a declined sale has a transaction, but no code, requested amount, letters or balance', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({ ...sale, transaction_amount: '1.01', custom_id: 'abc' })

      expectAnswer(answer, {
        ...card,
        transaction_type: 'SALE',
        authorization_message: 'CALL AUTH CENTER',
        transaction_amount: 1.01,
        transaction_approved: false,
        custom_id: 'abc',
        reason_code: null,
        gateway_id: null,
        ...refusal(30002, 'DECLINED'),
      })
    }))

  test('a stored card has neither transaction_approved nor an authorisation', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi(store)

      expectAnswer(answer, { ...card, transaction_type: 'STORE', request_amount: 0, transaction_amount: 0, ...fine })
    }))

  test('a sale from a bank account is pending', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({ ...bankSale, check_number: '1' })

      expectAnswer(answer, {
        ...card,
        tender_type: 'ACH',
        card_brand: 'ACH',
        transaction_type: 'SALE',
        last4: '8535',
        card_expiration: null,
        authorization_code: 'ACH',
        authorization_message: 'PENDING',
        request_amount: 1,
        transaction_amount: 1,
        transaction_approved: true,
        check_number: '1',
        ...fine,
      })
    }))

  test('an authorisation of nothing has no balance, and unknown data gives the letter U', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({ ...visa, ...ann, transaction_type: 'AUTHORIZATION', transaction_amount: '0.00' })

      expectAnswer(answer, {
        ...card,
        transaction_type: 'AUTHORIZATION',
        authorization_code: expect.stringMatching(/^CVI\d{3}$/),
        authorization_message: 'APPROVED',
        request_amount: 0,
        transaction_amount: 0,
        transaction_approved: true,
        avs_response: 'U',
        cvv2_response: 'U',
        ...fine,
      })
    }))

  test('a capture keeps the id, and the whole name arrives in first_name', () =>
    withSimulator(async ({ qsapi }) => {
      const first = { ...sale, transaction_type: 'AUTHORIZATION', transaction_description: 'pizza' }
      const { transaction_id: id = '' } = await qsapi(first)

      const answer = await qsapi({ transaction_type: 'CAPTURE', token_id: id, transaction_amount: '9.99' })

      const { last_name: _, ...nameless } = card
      expectAnswer(answer, {
        ...nameless,
        transaction_id: id,
        transaction_type: 'CAPTURE',
        authorization_message: 'CAPTURED',
        request_amount: 9.99,
        transaction_amount: 9.99,
        first_name: 'Ann Example',
        transaction_approved: true,
        transaction_description: 'pizza',
        ...fine,
      })
    }))

  test.each([
    ['REFUND', 'VOID'],
    ['REVERSAL', 'APPROVED'],
  ])('a %s gets an id of its own and names the original', (type, message) =>
    withSimulator(async ({ qsapi }) => {
      const { transaction_id: id = '' } = await qsapi({ ...sale, custom_id: 'abc' })

      const answer = await qsapi({ transaction_type: type, token_id: id })

      const { last_name: _, ...nameless } = card
      expectAnswer(answer, {
        ...nameless,
        original_transaction_id: id,
        transaction_type: type,
        authorization_code: expect.stringMatching(/^CVI\d{3}$/),
        authorization_message: message,
        request_amount: 10,
        transaction_amount: 10,
        first_name: 'Ann Example',
        transaction_approved: true,
        custom_id: 'abc',
        ...fine,
      })
      expect(answer.transaction_id).not.toBe(id)
    }),
  )

  test('a credit has no code, letters or balance', () =>
    withSimulator(async ({ qsapi }) => {
      const answer = await qsapi({ ...sale, transaction_type: 'CREDIT' })

      expectAnswer(answer, {
        ...card,
        transaction_type: 'CREDIT',
        authorization_message: 'CREDIT',
        request_amount: 10,
        transaction_amount: 10,
        transaction_approved: true,
        ...fine,
      })
    }))

  test('a swiped card has the name of its track and no CVV letter', () =>
    withSimulator(async ({ qsapi }) => {
      const card_tracks = '%B4000100011112224^LONGSEN/L. ^15121200000000000000**123******?'

      const answer = await qsapi({ ...sale, card_tracks, zip: '10001' })

      expect(answer).toMatchObject({ first_name: 'L.', last_name: 'LONGSEN', card_expiration: '1215', swiped: true })
      expect(answer).toMatchObject({ keyed: false, avs_response: 'Z', transaction_approved: true })
      expect(answer).not.toHaveProperty('cvv2_response')
    }))
})

describe('what PayConex refuses, always with HTTP 200, four members and no transaction', () => {
  const guessed = (name: string) => refusal(20010, `Invalid ${name}`)
  const cases: [string, Form, object][] = [
    ['an unknown account', { ...sale, account_id: 'Unknown' }, refusal(20001, 'Invalid account_id')],
    ['an absent key', { ...sale, api_accesskey: '' }, refusal(20001, 'Invalid account_id')],
    ['a wrong key', { ...sale, api_accesskey: 'wrong' }, refusal(20002, 'Invalid api_accesskey')],
    ['an unknown type', { ...sale, transaction_type: 'BUY' }, guessed('transaction_type')],
    ['an absent tender', { ...sale, tender_type: '' }, guessed('tender_type')],
    ['an unknown tender', { ...sale, tender_type: 'CASH' }, guessed('tender_type')],
    ['an unknown token', { ...sale, token_id: '000000000001', reissue: '1' }, refusal(20006, 'Invalid token_id')],
    ['a word as a card number', { ...sale, card_number: 'BogusCard' }, refusal('30371', 'INVALID CARD NUMBER')],
    ['an absent card number', { ...sale, card_number: '' }, refusal('30371', 'INVALID CARD NUMBER')],
    ['a short card number', { ...sale, card_number: '141241' }, refusal('30370', 'CARD DATA UNREADABLE')],
    ['a month 13', { ...sale, card_expiration: '1330' }, guessed('card_expiration')],
    ['an absent expiration', { ...sale, card_expiration: '' }, guessed('card_expiration')],
    ['an expiration with a slash', { ...sale, card_expiration: '08/30' }, guessed('card_expiration')],
    ['a CVV of words', { ...sale, card_verification: 'abc' }, guessed('card_verification')],
    ['an absent amount', { ...sale, transaction_amount: '' }, guessed('transaction_amount')],
    ['an amount with a comma', { ...sale, transaction_amount: '1,00' }, guessed('transaction_amount')],
    ['an amount of three decimals', { ...sale, transaction_amount: '1.005' }, guessed('transaction_amount')],
    ['an amount too large', { ...sale, transaction_amount: '1000000' }, guessed('transaction_amount')],
    ['a sale of nothing', { ...sale, transaction_amount: '0.00' }, guessed('transaction_amount')],
    ['a long custom_id', { ...sale, custom_id: 'x'.repeat(51) }, guessed('custom_id')],
    ['an id of too few digits', { ...sale, transaction_id: '12' }, guessed('transaction_id')],
    ['an id nobody reserved', { ...sale, transaction_id: '000000000001' }, guessed('transaction_id')],
    [
      'five digits as a routing number',
      { ...bankSale, bank_routing_number: '23433' },
      refusal(20019, 'Invalid bank_routing_number'),
    ],
    [
      'an absent routing number',
      { ...bankSale, bank_routing_number: '' },
      refusal(20019, 'Invalid bank_routing_number'),
    ],
    [
      'a wrong check digit',
      { ...bankSale, bank_routing_number: '021000022' },
      refusal(20019, 'Invalid bank_routing_number'),
    ],
    ['a bank account without a first name', { ...bankSale, first_name: '' }, guessed('first_name')],
    ['a bank account without a last name', { ...bankSale, last_name: '' }, guessed('last_name')],
    ['a bank account without a number', { ...bankSale, bank_account_number: '' }, guessed('bank_account_number')],
  ]

  test.each(cases)('%s', (_name, form, expected) =>
    withSimulator(async ({ post, ledger }) => {
      const response = await post('/api/qsapi/3.8', { ...form, response_format: 'JSON' })

      expect([response.status, await response.json()]).toEqual([200, expected])
      expect((await ledger()).transactions).toEqual([])
    }),
  )
})

describe('what the processor thinks of it', () => {
  test('the account is looked at before the token, and the token before the formats', () =>
    withSimulator(async ({ qsapi }) => {
      const wrong = { ...sale, account_id: 'x', token_id: '1', card_expiration: 'x' }

      expect(await qsapi(wrong)).toMatchObject({ error_message: 'Invalid account_id' })
      expect(await qsapi({ ...wrong, account_id: '120614968961' })).toMatchObject({ error_message: 'Invalid token_id' })
    }))

  test('1.01 is declined for every tender, and a decline is a transaction', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      expect(await qsapi({ ...bankSale, transaction_amount: '1.01' })).toMatchObject({ error_code: 30002 })
      expect((await ledger()).transactions).toMatchObject([{ approved: false, transaction_amount: '1.01' }])
    }))

  test('an expired card is declined when charged, and stored without a word', () =>
    withSimulator(async ({ qsapi }) => {
      const expired = { card_expiration: '0822' }

      expect(await qsapi({ ...sale, ...expired })).toMatchObject({
        authorization_message: 'EXPIRED CARD',
        error_code: 30002,
        transaction_approved: false,
      })
      expect(await qsapi({ ...store, ...expired })).toMatchObject({ error: false })
    }))

  test.each([
    ['371449635398431', 'AMERICAN EXPRESS'],
    ['5555555555554444', 'MASTERCARD'],
    ['2223003122003222', 'MASTERCARD'],
    ['6011111111111117', 'DISCOVER'],
    ['4111111111111111', 'VISA'],
  ])('%s is a card of %s', (card_number, brand) =>
    withSimulator(async ({ qsapi }) => {
      expect(await qsapi({ ...sale, card_number })).toMatchObject({ card_brand: brand, last4: card_number.slice(-4) })
    }),
  )

  test.each(['1', 'true'])('a stored card is charged again with reissue=%s, under a new id', (reissue) =>
    withSimulator(async ({ qsapi }) => {
      const { transaction_id: id = '' } = await qsapi(store)

      const answer = await qsapi({
        transaction_type: 'SALE',
        tender_type: 'CARD',
        token_id: id,
        reissue,
        transaction_amount: '5',
      })

      expect(answer).toMatchObject({ transaction_approved: true, transaction_amount: 5, last4: '2224', ...ann })
      expect(Number(answer.transaction_id)).toBeGreaterThan(Number(id))
    }),
  )

  test('a stored bank account is charged again', () =>
    withSimulator(async ({ qsapi }) => {
      const { transaction_id: id = '' } = await qsapi({ ...bankSale, transaction_type: 'STORE' })
      const again = {
        transaction_type: 'SALE',
        tender_type: 'ACH',
        token_id: id,
        reissue: '1',
        transaction_amount: '2',
      }

      expect(await qsapi(again)).toMatchObject({ authorization_message: 'PENDING', last4: '8535' })
    }))

  test('a token belongs to its account, and a declined transaction is none', () =>
    withSimulator(async ({ qsapi }) => {
      const stored = await qsapi(store)
      const declined = await qsapi({ ...sale, transaction_amount: '1.01' })
      const charge = (id = '') => ({ ...sale, token_id: id, reissue: '1' })

      expect(await qsapi({ ...charge(stored.transaction_id), account_id: '999999999999' })).toMatchObject({
        error_code: 20006,
      })
      expect(await qsapi(charge(declined.transaction_id))).toMatchObject({ error_code: 20006 })
    }))

  test('two reversals that arrive together undo one sale once', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      const { transaction_id: id = '' } = await qsapi(sale)
      const reversal = { transaction_type: 'REVERSAL', token_id: id }

      const answers = await Promise.all([qsapi(reversal), qsapi(reversal)])

      expect(answers.map((answer) => answer.error_code).sort()).toEqual([0, 20687])
      expect((await ledger()).returned).toEqual({ count: 1, total: '10.00' })
    }))

  test('a refund is possible once, and not after a reversal', () =>
    withSimulator(async ({ qsapi }) => {
      const undo = (type: string, id = '', amount = '0.50') =>
        qsapi({ transaction_type: type, token_id: id, transaction_amount: amount })
      const refunded = await qsapi(sale)
      const reversed = await qsapi(sale)

      await undo('REFUND', refunded.transaction_id)
      await undo('REVERSAL', reversed.transaction_id)

      expect(await undo('REFUND', refunded.transaction_id)).toMatchObject({ error_code: 20017 })
      expect(await undo('REFUND', reversed.transaction_id)).toMatchObject({ error_code: 20687 })
    }))

  test('an authorisation is captured once, at most in full, and refunded afterwards', () =>
    withSimulator(async ({ qsapi }) => {
      const { transaction_id: id = '' } = await qsapi({ ...sale, transaction_type: 'AUTHORIZATION' })
      const then = (type: string, amount: string) =>
        qsapi({ transaction_type: type, token_id: id, transaction_amount: amount })

      expect(await then('REFUND', '1')).toMatchObject({ error_message: 'Invalid token_id' })
      expect(await then('CAPTURE', '10.01')).toMatchObject({ error_message: 'Invalid transaction_amount' })
      expect(await then('CAPTURE', '8')).toMatchObject({ error_code: 0 })
      expect(await then('CAPTURE', '2')).toMatchObject({ error: true })
      expect(await then('REVERSAL', '8')).toMatchObject({ error: true })
      expect(await then('REFUND', '8')).toMatchObject({ authorization_message: 'VOID' })
    }))
})

describe('the format of an answer', () => {
  test.each([{}, { response_format: 'FORM' }, { response_format: 'SERIAL' }, { response_format: 'json' }])(
    '%o is answered with a form, booleans as 1 and 0, null as nothing',
    (format: Form) =>
      withSimulator(async ({ post }) => {
        const response = await post('/api/qsapi/3.8', { ...sale, ...format })

        expect(response.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
        expect(Object.fromEntries(new URLSearchParams(await response.text()))).toMatchObject({
          transaction_approved: '1',
          swiped: '0',
          transaction_amount: '10',
          error: '0',
          error_code: '0',
          error_message: '',
        })
      }),
  )

  test.each(['/api/qsapi/3.8', '/api/qsapi/3.8/'])('%s answers', (path) =>
    withSimulator(async ({ post }) => {
      const response = await post(path, { ...sale, response_format: 'JSON' })

      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toMatchObject({ transaction_approved: true })
    }),
  )
})

describe('transaction ids', () => {
  test('they have twelve digits and rise, reserved or not', () =>
    withSimulator(async ({ qsapi, reserve }) => {
      const ids = [
        await reserve(),
        (await qsapi(sale)).transaction_id,
        await reserve(),
        (await qsapi(store)).transaction_id,
      ]

      expect(ids).toEqual([anyId, anyId, anyId, anyId])
      expect(ids.toSorted()).toEqual(ids)
    }))
})
