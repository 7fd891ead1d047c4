import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import {
  ACCESS_KEY,
  ACCOUNT,
  type Body,
  bankCharge,
  declinedCharge,
  post,
  postAndHangUp,
  visaCharge,
  visaTokenize,
} from './caller.ts'
import { everythingIn } from './redis-contents.ts'
import { witness } from './simulator.ts'

/** A mixed load, and then a search for the cards in every log line, in every command that either Redis was given, and in
 * every value that either still holds. */
const TIME_SCALE = 0.1
const CVV = '7391'
const PLAIN = ['4111111111111111', '15378535', '244183602', ACCESS_KEY, CVV, `${ACCOUNT}:${ACCESS_KEY}`]
const SECRETS = PLAIN.flatMap((text) => [
  text,
  ...['base64', 'hex'].map((code) => Buffer.from(text).toString(code as 'hex')),
])

let stack: Stack
const commands: string[] = []
const monitors: Redis[] = []

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 2, env: { TIME_SCALE: String(TIME_SCALE), LOG_LEVEL: 'trace' } })
  await Promise.all([stack.queue.url, stack.ledger.url].map(watch))
})

afterAll(async () => {
  for (const monitor of monitors) monitor.disconnect()
  await stack?.stop()
})

/** Notes every command that a Redis is given from now on. */
async function watch(url: string): Promise<void> {
  const redis = new Redis(url)
  const monitor = await redis.monitor()
  monitor.on('monitor', (_time, args: string[]) => commands.push(args.join(' ')))
  monitors.push(redis, monitor)
}

const endpoint = () => stack.gateways[0]?.endpoint ?? ''

async function mixedLoad(): Promise<void> {
  const { fault } = witness(stack.simulator?.url ?? '')
  const card = (): Body => ({ ...visaCharge(), cvv: CVV })
  const [lost, hung, refused] = [card(), card(), { ...card(), amount: 'x' }]
  await fault({ fault: 'lose_answer', custom_id: lost.transaction_id })
  await fault({ fault: 'hang', custom_id: hung.transaction_id })
  const bodies = [card(), { ...visaTokenize(), cvv: CVV }, bankCharge(), declinedCharge(), refused, lost, hung]
  await Promise.all(bodies.map((body) => post(endpoint(), body)))
  await postAndHangUp(endpoint(), card(), 5)
}

it('no card, CVV, bank account or access key is left, or passed, anywhere in clear', async () => {
  await mixedLoad()
  // The payment whose caller hung up ends, too.
  await expect
    .poll(async () => (await everythingIn(stack.queue.url)).filter((text) => text.includes(':sealed:')))
    .toEqual([])

  const kept = [...(await everythingIn(stack.queue.url)), ...(await everythingIn(stack.ledger.url))]

  expect(commands.filter((command) => command.includes(':sealed:')).length).toBeGreaterThan(5)
  expect(kept.some((text) => text.includes('approved'))).toBe(true)
  expect(stack.logs.some((line) => line.includes('finished'))).toBe(true)
  const found = [...stack.logs, ...commands, ...kept].filter((text) => SECRETS.some((secret) => text.includes(secret)))
  expect(found).toEqual([])
})

it('the search finds what is there, in every type of value', async () => {
  const redis = new Redis(stack.ledger.url)
  await redis.set('planted:string', `before ${PLAIN[0]} after`.padEnd(300, 'x'))
  await redis.hset('planted:hash', 'field', PLAIN[1] ?? '')
  await redis.zadd('planted:set', 1, PLAIN[2] ?? '')
  await redis.xadd('planted:stream', '*', 'field', PLAIN[3] ?? '')
  await redis.rpush('planted:list', PLAIN[4] ?? '')

  const kept = await everythingIn(stack.ledger.url)

  redis.disconnect()
  for (const secret of PLAIN.slice(0, 5)) expect(kept.some((text) => text.includes(secret))).toBe(true)
})
