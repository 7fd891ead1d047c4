import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack.ts'
import { startTestStack } from '../scripts/test-servers.ts'
import { ACCESS_KEY, bankCharge, declinedCharge, post, postAndHangUp, visaCharge, visaTokenize } from './caller.ts'
import { witness } from './simulator.ts'

/** A mixed load, and then a search for the cards in every log line and in every value of both Redis servers. */
const TIME_SCALE = 0.1
const SECRETS = [
  '4111111111111111',
  '15378535',
  '244183602',
  ACCESS_KEY,
  Buffer.from(ACCESS_KEY).toString('base64').slice(0, 30),
]

let stack: Stack

beforeAll(async () => {
  stack = await startTestStack({
    gateways: 2,
    workers: 2,
    env: { TIME_SCALE: String(TIME_SCALE), LOG_LEVEL: 'trace' },
  })
})

afterAll(() => stack?.stop())

const endpoint = () => stack.gateways[0]?.endpoint ?? ''

async function everything(url: string): Promise<string[]> {
  const redis = new Redis(url)
  const texts: string[] = []
  for (const key of await redis.keys('*')) texts.push(key, (await redis.dumpBuffer(key))?.toString('latin1') ?? '')
  redis.disconnect()
  return texts
}

async function mixedLoad(): Promise<void> {
  const { fault } = witness(stack.simulator?.url ?? '')
  const lost = visaCharge()
  const hung = visaCharge()
  await fault({ fault: 'lose_answer', custom_id: lost.transaction_id })
  await fault({ fault: 'hang', custom_id: hung.transaction_id })
  const bodies = [
    visaCharge(),
    visaTokenize(),
    bankCharge(),
    declinedCharge(),
    { ...visaCharge(), amount: 'x' },
    lost,
    hung,
  ]
  await Promise.all(bodies.map((body) => post(endpoint(), body)))
  await postAndHangUp(endpoint(), visaCharge(), 5)
}

it('no card, bank account or access key is left anywhere', async () => {
  await mixedLoad()
  // The payment that nobody waited for ends, too; only unconfirmed ones keep sealed credentials.
  await expect
    .poll(async () => (await everything(stack.queue.url)).filter((text) => text.includes(':sealed:')))
    .toEqual([])

  const places = [...stack.logs, ...(await everything(stack.queue.url)), ...(await everything(stack.ledger.url))]

  expect(places.length).toBeGreaterThan(20)
  const found = places.filter((text) => SECRETS.some((secret) => text.includes(secret)))
  expect(found).toEqual([])
})
