import { describe, expect, test } from 'vitest'
import { type Client, type Form, findSecrets, type Json, withSimulator } from './testing.ts'

/** The remote tests of ActiveMerchant's PayConex gateway (test/remote/gateways/remote_pay_conex_test.rb), which were
 * passed by Bluefin's certification host, against the simulator. Their names are kept; `message` and `success` follow
 * ActiveMerchant's own reading of an answer. */

const card = {
  tender_type: 'CARD',
  card_number: '4000100011112224',
  card_expiration: '0939',
  card_verification: '123',
  first_name: 'Longbob',
  last_name: 'Longsen',
}
const check = {
  tender_type: 'ACH',
  first_name: 'Jim',
  last_name: 'Smith',
  bank_account_number: '15378535',
  bank_routing_number: '244183602',
  check_number: '1',
  ach_account_type: 'checking',
}
const options = {
  street_address1: '456 My Street',
  street_address2: 'Apt 1',
  city: 'Ottawa',
  state: 'ON',
  zip: 'K1C2N6',
  country: 'CA',
  phone: '(555)555-5555',
  transaction_description: 'Store Purchase',
  email: 'joe@example.com',
  currency: 'USD',
}
const tracks = '%B4000100011112224^LONGSEN/L. ^19121200000000000000**123******?'
const brokenTracks = '%B37826310005^LOB^17001130504392?'

type Gateway = ReturnType<typeof gateway>

/** ActiveMerchant's verbs, sending what it sends. */
function gateway(simulator: Client) {
  const commit = async (transactionType: string, form: Form) => {
    const response = await simulator.post('/api/qsapi/3.8/', {
      ...form,
      response_format: 'JSON',
      transaction_type: transactionType,
    })
    return read((await response.json()) as Json)
  }
  const pay = (type: string) => (amount: string, method: Form) =>
    commit(type, { ...method, ...options, transaction_amount: amount })
  const refer = (type: string) => (amount: string, token: string) =>
    commit(type, { token_id: token, transaction_amount: amount, currency: 'USD' })

  return {
    purchase: pay('SALE'),
    authorize: pay('AUTHORIZATION'),
    credit: pay('CREDIT'),
    verify: (method: Form) => pay('AUTHORIZATION')('0.00', method),
    capture: refer('CAPTURE'),
    refund: refer('REFUND'),
    void: (token: string) => commit('REVERSAL', { token_id: token }),
    store: (method: Form) => commit('STORE', method),
    token: (id: string): Form => ({ tender_type: 'CARD', token_id: id, reissue: 'true' }),
  }
}

const read = (params: Json) => {
  const success = Boolean(params.transaction_approved) || !params.error
  return {
    success,
    message: success ? params.authorization_message : params.error_message,
    authorization: params.transaction_id ?? '',
    params,
  }
}

const approved = (message?: string) => (message === undefined ? { success: true } : { success: true, message })
const failed = (message: string) => ({ success: false, message })

type Read = ReturnType<typeof read>

interface RemoteTest {
  name: string
  run: (gateway: Gateway) => Promise<Read>
  expects: object
}

const remoteTests: RemoteTest[] = [
  { name: 'test_transcript_scrubbing', run: (g) => g.purchase('1.00', card), expects: approved('APPROVED') },
  { name: 'test_transcript_scrubbing_with_check', run: (g) => g.purchase('1.00', check), expects: approved('PENDING') },
  { name: 'test_successful_purchase', run: (g) => g.purchase('1.00', card), expects: approved('APPROVED') },
  { name: 'test_failed_purchase', run: (g) => g.purchase('1.01', card), expects: failed('DECLINED') },
  {
    name: 'test_successful_authorize_and_capture',
    run: async (g) => g.capture('1.00', (await g.authorize('1.00', card)).authorization),
    expects: approved('CAPTURED'),
  },
  { name: 'test_failed_authorize', run: (g) => g.authorize('1.01', card), expects: failed('DECLINED') },
  {
    name: 'test_partial_capture',
    run: async (g) => g.capture('0.99', (await g.authorize('1.00', card)).authorization),
    expects: approved('CAPTURED'),
  },
  { name: 'test_failed_capture', run: (g) => g.capture('1.00', 'UnknownAuth'), expects: failed('Invalid token_id') },
  {
    name: 'test_successful_refund',
    run: async (g) => g.refund('1.00', (await g.purchase('1.00', card)).authorization),
    expects: approved('VOID'),
  },
  {
    name: 'test_partial_refund',
    run: async (g) => g.refund('0.99', (await g.purchase('1.00', card)).authorization),
    expects: approved('REFUND'),
  },
  {
    name: 'test_failed_refund',
    run: async (g) => g.refund('5.00', (await g.purchase('1.00', card)).authorization),
    expects: failed('INVALID REFUND AMOUNT'),
  },
  {
    name: 'test_successful_void',
    run: async (g) => g.void((await g.authorize('1.00', card)).authorization),
    expects: approved('APPROVED'),
  },
  {
    name: 'test_failed_void',
    run: async (g) => {
      const { authorization } = await g.authorize('1.00', card)
      await g.void(authorization)
      return g.void(authorization)
    },
    expects: failed('TRANSACTION ID ALREADY REVERSED'),
  },
  { name: 'test_successful_verify', run: (g) => g.verify(card), expects: approved('APPROVED') },
  {
    name: 'test_failed_verify',
    run: (g) => g.verify({ ...card, card_number: 'BogusCard' }),
    expects: failed('INVALID CARD NUMBER'),
  },
  {
    name: 'test_successful_store',
    run: (g) => g.store(card),
    expects: { success: true, params: expect.objectContaining({ last4: '2224' }) },
  },
  {
    name: 'test_failed_store',
    run: (g) => g.store({ ...card, card_number: '141241' }),
    expects: failed('CARD DATA UNREADABLE'),
  },
  {
    name: 'test_purchase_using_stored_card',
    run: async (g) => g.purchase('1.00', g.token((await g.store(card)).authorization)),
    expects: approved('APPROVED'),
  },
  { name: 'test_successful_credit', run: (g) => g.credit('1.00', card), expects: approved('CREDIT') },
  {
    name: 'test_failed_credit',
    run: (g) => g.credit('1.00', { ...card, card_number: '12321' }),
    expects: failed('CARD DATA UNREADABLE'),
  },
  {
    name: 'test_successful_card_present_purchase',
    run: (g) => g.purchase('1.00', { tender_type: 'CARD', card_tracks: tracks }),
    expects: approved('APPROVED'),
  },
  {
    name: 'test_failed_card_present_purchase',
    run: (g) => g.purchase('1.00', { tender_type: 'CARD', card_tracks: brokenTracks }),
    expects: failed('CARD DATA UNREADABLE'),
  },
  { name: 'test_successful_echeck_purchase', run: (g) => g.purchase('1.00', check), expects: approved('PENDING') },
  {
    name: 'test_failed_echeck_purchase',
    run: (g) => g.purchase('1.00', { ...check, bank_routing_number: '23433' }),
    expects: failed('Invalid bank_routing_number'),
  },
  {
    name: 'test_invalid_login',
    run: (g) => g.purchase('1.00', { ...card, account_id: 'Unknown', api_accesskey: 'Incorrect' }),
    expects: failed('Invalid account_id'),
  },
]

describe('remote tests of ActiveMerchant', () => {
  test.each(remoteTests)('$name', async ({ run, expects }) => {
    await withSimulator(async (simulator) => {
      const answer = await run(gateway(simulator))

      expect(answer).toMatchObject(expects)
      expect(findSecrets(JSON.stringify(answer))).toEqual([])
    })
  })

  test('all 25 of them are here', () => {
    expect(new Set(remoteTests.map(({ name }) => name)).size).toBe(25)
  })
})
