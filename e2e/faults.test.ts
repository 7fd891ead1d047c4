import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Answer, type Body, postAndHangUp, visaCharge, visaTokenize } from './caller.ts'
import { witness } from './simulator.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1
const TRY_MS = 10_000 * TIME_SCALE

let stack: Stack
let payconex: ReturnType<typeof witness>

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 2, env: { TIME_SCALE: String(TIME_SCALE) } })
  payconex = witness(stack.simulator?.url ?? '')
})

beforeEach(() => payconex.clearFaults())

afterAll(() => stack?.stop())

const endpoint = (nth = 0) => stack.gateways[nth % 2]?.endpoint ?? ''

/** As Twilio does it: a try, and on silence another one with the same transaction_id, six in all. */
async function call(body: Body): Promise<Answer | 'silence'> {
  for (let tries = 0; tries < 6; tries += 1) {
    const answer = await postAndHangUp(endpoint(tries), body, TRY_MS)
    if (answer !== 'silence') return answer
  }
  return 'silence'
}

const charges = async ({ transaction_id }: Body) => (await payconex.books(transaction_id)).transactions
const fault = (body: Body, what: Record<string, unknown>) => payconex.fault({ ...what, custom_id: body.transaction_id })

describe('PayConex', () => {
  it.each([
    ['commits and loses the answer', { fault: 'lose_answer' }],
    ['commits and resets the connection', { fault: 'reset_after_commit' }],
    ['commits and answers 500', { fault: '500_after_commit' }],
    ['commits and answers with a page', { fault: 'html_after_commit' }],
    ['commits and breaks off its answer', { fault: 'half_body' }],
    ['commits and answers nothing', { fault: 'empty' }],
    ['answers after longer than a try', { fault: 'delay', ms: 1500 }],
    ['answers as a form', { fault: 'form_answer' }],
    ['spells booleans as digits', { fault: 'booleans_as_digits' }],
  ])('that %s: charged once, and the caller gets its charge_id', async (_, what) => {
    const body = visaCharge()
    await fault(body, what)

    const answer = await call(body)

    const transactions = await charges(body)
    expect(transactions).toHaveLength(1)
    expect(answer).toMatchObject({ body: { charge_id: transactions[0]?.transaction_id, error_code: null } })
  })

  it('that stores and loses the answer: stored once, and the caller gets its token_id', async () => {
    const body = visaTokenize()
    await fault(body, { fault: 'lose_answer' })

    const answer = await call(body)

    const transactions = await charges(body)
    expect(transactions).toHaveLength(1)
    expect(answer).toMatchObject({ body: { token_id: transactions[0]?.transaction_id, error_code: null } })
  })

  it.each([
    ['resets the connection', { fault: 'reset_before_commit' }],
    ['never answers', { fault: 'hang' }],
    ['answers 503', { fault: '503' }],
  ])('that %s before it commits: not charged, and the caller hears that it is not known', async (_, what) => {
    const body = visaCharge()
    await fault(body, what)

    const answer = await call(body)

    expect(await charges(body)).toEqual([])
    expect(answer).toMatchObject({ body: { charge_id: null, error_code: 'unconfirmed' } })
  })

  it.each([
    ['another amount', { fault: 'other_amount' }],
    ['another id', { fault: 'other_id' }],
  ])('that approves %s: a person must look, and the caller hears that it is not known', async (_, what) => {
    const body = visaCharge()
    await fault(body, what)

    const answer = await call(body)

    expect(answer).toMatchObject({ body: { charge_id: null, error_code: 'unconfirmed' } })
  })

  it('that is late with its id by less than SEND_BY: charged', async () => {
    await payconex.fault({ fault: '500', on: 'reserve', next: 3 })
    const body = visaCharge()

    const answer = await call(body)

    expect(await charges(body)).toHaveLength(1)
    expect(answer).toMatchObject({ body: { error_code: null } })
  })

  it('that gives no id at all: nothing is sent, and the caller may try again', async () => {
    await payconex.fault({ fault: '500', on: 'reserve', share: 1 })
    const body = visaCharge()

    const answer = await call(body)

    expect(await charges(body)).toEqual([])
    expect(answer).toMatchObject({ body: { charge_id: null, error_code: 'not_processed' } })
  })
})
