import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import {
  ACCOUNT,
  authorization,
  type Body,
  bankCharge,
  bankTokenize,
  declinedCharge,
  legacyCharge,
  type PostOptions,
  post,
  visaCharge,
  visaTokenize,
} from './caller.ts'
import { witness } from './simulator.ts'

let stack: Stack
let books: ReturnType<typeof witness>['books']

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 2 })
  ;({ books } = witness(stack.simulator?.url ?? ''))
})

afterAll(() => stack?.stop())

const endpoint = (nth = 0) => stack.gateways[nth]?.endpoint ?? ''
const pay = (body: Body, options?: PostOptions) => post(endpoint(), body, options)

describe('a payment', () => {
  it('by card is charged, and the caller gets PayConex’ transaction_id as charge_id', async () => {
    const body = visaCharge()

    const answer = await pay(body)

    const { transactions } = await books(body.transaction_id)
    expect(transactions).toMatchObject([
      {
        transaction_type: 'SALE',
        tender_type: 'CARD',
        transaction_amount: '10.00',
        approved: true,
        reserved: true,
        last4: '1111',
      },
    ])
    expect(answer).toEqual({
      status: 200,
      body: { charge_id: transactions[0]?.transaction_id, error_code: null, error_message: null },
    })
  })

  it('by card is stored for tokenize, and the caller gets a token_id', async () => {
    const body = visaTokenize()

    const answer = await pay(body)

    const { transactions } = await books(body.transaction_id)
    expect(transactions).toMatchObject([{ transaction_type: 'STORE', tender_type: 'CARD', last4: '1111' }])
    expect(answer.body).toEqual({ token_id: transactions[0]?.transaction_id, error_code: null, error_message: null })
  })

  it('from a bank account is charged', async () => {
    const body = bankCharge()

    const answer = await pay(body)

    const { transactions } = await books(body.transaction_id)
    expect(transactions).toMatchObject([
      { transaction_type: 'SALE', tender_type: 'ACH', approved: true, last4: '8535' },
    ])
    expect(answer.body).toMatchObject({ charge_id: transactions[0]?.transaction_id, error_code: null })
  })

  it('from a bank account is stored for tokenize', async () => {
    const body = bankTokenize()

    const answer = await pay(body)

    const { transactions } = await books(body.transaction_id)
    expect(transactions).toMatchObject([{ transaction_type: 'STORE', tender_type: 'ACH' }])
    expect(answer.body).toMatchObject({ token_id: transactions[0]?.transaction_id, error_code: null })
  })

  it('is only authorised when the parameters ask for it', async () => {
    const body = authorization()

    const answer = await pay(body)

    expect((await books(body.transaction_id)).transactions).toMatchObject([{ transaction_type: 'AUTHORIZATION' }])
    expect(answer.body.error_code).toBeNull()
  })

  it('in the legacy form, to the /charge path, is charged', async () => {
    const body = legacyCharge()

    const answer = await pay(body, { path: '/charge' })

    expect((await books(body.transaction_id)).transactions).toMatchObject([{ transaction_type: 'SALE' }])
    expect(answer.body.error_code).toBeNull()
  })
})

describe('a no', () => {
  it('of the bank is passed on with PayConex’ code and message', async () => {
    const body = declinedCharge()

    const answer = await pay(body)

    expect((await books(body.transaction_id)).transactions).toMatchObject([{ approved: false }])
    expect(answer).toEqual({ status: 200, body: { charge_id: null, error_code: '30002', error_message: 'DECLINED' } })
  })

  it('of PayConex to a bad routing number is passed on', async () => {
    const body: Body = { ...bankCharge(), routingnumber: '23433' }

    const answer = await pay(body)

    expect((await books(body.transaction_id)).transactions).toEqual([])
    expect(answer.body).toEqual({ charge_id: null, error_code: '20019', error_message: 'Invalid bank_routing_number' })
  })

  it('of PayConex to an unknown account is passed on, and nothing is sent', async () => {
    const body = visaCharge()

    const answer = await pay(body, { user: 'Unknown' })

    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ charge_id: null, error_message: expect.stringMatching(/invalid account.id/i) })
    expect((await books(body.transaction_id)).transactions).toEqual([])
  })

  it('of ours comes with 401 when there are no credentials', async () => {
    const response = await fetch(endpoint(), { method: 'POST', body: JSON.stringify(visaCharge()) })

    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic/)
    expect(await response.json()).toMatchObject({ charge_id: null, error_code: 'unauthorized' })
  })

  it('stays a no for the same request, and is a new attempt for another card', async () => {
    const body = declinedCharge()
    await pay(body)

    const again = await pay(body)
    const better = await pay({ ...body, amount: '1.00', cardnumber: '5555555555554444' })

    const { transactions } = await books(body.transaction_id)
    expect(again.body.error_code).toBe('30002')
    expect(transactions.map(({ approved }) => approved)).toEqual([false, true])
    expect(better.body).toMatchObject({ charge_id: transactions[1]?.transaction_id, error_code: null })
  })
})

describe('a repeat', () => {
  it('after the answer gets the same answer, from the same charge', async () => {
    const body = visaCharge()
    const first = await pay(body)

    const second = await pay(body)

    expect(second).toEqual(first)
    expect((await books(body.transaction_id)).transactions).toHaveLength(1)
  })

  it('through another gateway gets the same answer', async () => {
    const body = visaTokenize()
    const first = await post(endpoint(0), body)

    const second = await post(endpoint(1), body)

    expect(second).toEqual(first)
    expect((await books(body.transaction_id)).transactions).toHaveLength(1)
  })

  it('at the same time, ten of them at two gateways, all get the same answer from one charge', async () => {
    const body = visaCharge()
    await witness(stack.simulator?.url ?? '').fault({ fault: 'delay', ms: 500, custom_id: body.transaction_id })

    const answers = await Promise.all(Array.from({ length: 10 }, (_, nth) => post(endpoint(nth % 2), body)))

    const { transactions, duplicates } = await books(body.transaction_id)
    expect(transactions).toHaveLength(1)
    expect(duplicates).toEqual([])
    expect(new Set(answers.map(({ body: { charge_id } }) => charge_id))).toEqual(
      new Set([transactions[0]?.transaction_id]),
    )
  })

  it('with another amount is refused, and charges nothing', async () => {
    const body = visaCharge()
    await pay(body)

    const reused = await pay({ ...body, amount: '11.00' })

    expect(reused.body).toMatchObject({ charge_id: null, error_code: 'transaction_id_reused' })
    expect((await books(body.transaction_id)).transactions).toMatchObject([{ transaction_amount: '10.00' }])
  })

  it('with another CVV is the same request', async () => {
    const body = visaCharge()
    const first = await pay(body)

    expect(await pay({ ...body, cvv: '999' })).toEqual(first)
  })

  it('of another account or method is another payment', async () => {
    const body = visaCharge()
    await pay(body)

    await pay(body, { user: '120615000002' })
    await pay({ ...visaTokenize(), transaction_id: body.transaction_id })

    const { transactions } = await books(body.transaction_id)
    expect(transactions.map(({ account_id, transaction_type }) => [account_id, transaction_type])).toEqual([
      [ACCOUNT, 'SALE'],
      ['120615000002', 'SALE'],
      [ACCOUNT, 'STORE'],
    ])
  })
})

describe('afterwards', () => {
  it('nobody was charged twice', async () => {
    expect((await books()).duplicates).toEqual([])
  })
})
