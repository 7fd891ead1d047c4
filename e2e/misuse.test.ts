import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCOUNT, declinedCharge, post, visaCharge } from './caller.ts'
import { sumOf } from './metrics.ts'
import { everythingIn } from './redis-contents.ts'
import { witness } from './simulator.ts'

const CARDS = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117', '4012888888881881']
const LIMIT = CARDS.length
const TESTED_ACCOUNT = '120615000002'

let stack: Stack

beforeAll(async () => {
  const gatewayEnv = { BAD_CREDENTIALS_LIMIT: String(LIMIT), CARD_TESTING_DECLINES: String(LIMIT) }
  stack = await startTestStack({ gateways: 1, workers: 1, gatewayEnv })
})

afterAll(() => stack?.stop())

const endpoint = () => stack.gateways[0]?.endpoint ?? ''
const payconex = () => witness(stack.simulator?.url ?? '')
const refusals = (reason: string) => sumOf(stack.gateways[0]?.opsUrl ?? '', 'pay_gateway_shed_total', { reason })

describe('somebody who tries out cards', () => {
  const tester = { user: TESTED_ACCOUNT }

  it('hears `not_processed` for the next card, of which PayConex never hears; and the truth about the others', async () => {
    const bodies = CARDS.map((cardnumber) => ({ ...declinedCharge(), cardnumber }))
    const answers = await Promise.all(bodies.map((body) => post(endpoint(), body, tester)))
    expect(answers.map(({ body }) => body.error_code)).toEqual(answers.map(() => '30002'))
    const asked = (await payconex().requestsOf(TESTED_ACCOUNT)).length

    const next = visaCharge()
    expect((await post(endpoint(), next, tester)).body.error_code).toBe('not_processed')
    expect((await post(endpoint(), next, tester)).body.error_code).toBe('not_processed')

    expect((await payconex().requestsOf(TESTED_ACCOUNT)).length).toBe(asked)
    expect((await post(endpoint(), bodies[0], tester)).body).toEqual(answers[0]?.body)
    expect(await refusals('card testing')).toBe(1)
  })

  it('keeps no other account from charging', async () => {
    expect((await post(endpoint(), visaCharge())).body.error_code).toBeNull()
  })
})

describe('somebody who guesses', () => {
  it('is not tried any more, and does not keep the merchant out', async () => {
    expect((await post(endpoint(), visaCharge())).body.error_code).toBeNull()
    const guesses = await Promise.all(CARDS.map(() => post(endpoint(), visaCharge(), { password: 'wrong' })))
    expect(guesses.map(({ body }) => body.error_message)).toEqual(guesses.map(() => 'Invalid api_accesskey'))

    expect((await post(endpoint(), visaCharge(), { password: 'wrong' })).body.error_code).toBe('not_processed')

    expect((await post(endpoint(), visaCharge())).body.error_code).toBeNull()
    expect(await refusals('bad credentials')).toBe(1)
  })
})

describe('afterwards', () => {
  it('nothing of a card or a key is in a log or a Redis', async () => {
    const kept = [...(await everythingIn(stack.queue.url)), ...(await everythingIn(stack.ledger.url)), ...stack.logs]

    expect(
      kept.filter((text) => /canary0access|wrong"/.test(text) || CARDS.some((card) => text.includes(card))),
    ).toEqual([])
    expect(stack.logs.filter((line) => line.includes(ACCOUNT) || line.includes(TESTED_ACCOUNT))).toEqual([])
  })
})
