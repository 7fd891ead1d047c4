import { shardNames } from '@pay/ledger'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { createPayers } from './matrix-payer.ts'
import { witness } from './simulator.ts'

/** Three shards on one server for the queue and one for the ledger, worked in by one worker process. (On clusters: cluster.test.ts.) */

const TIME_SCALE = 0.1
const SHARDS = 3

let stack: Stack
let payers: ReturnType<typeof createPayers>

beforeAll(async () => {
  const env = { TIME_SCALE: String(TIME_SCALE), SHARDS: String(SHARDS), WORKER_CONCURRENCY: '10' }
  stack = await startTestStack({ gateways: 1, workers: 1, env })
  payers = createPayers({ stack, timeScale: TIME_SCALE })
  await payers.isServed()
})

afterAll(async () => {
  payers?.close()
  await stack?.stop()
})

it('payments spread over all shards, and each is charged once', async () => {
  const all = Array.from({ length: 24 }, () => payers.payer())

  const heard = await Promise.all(all.map((payer) => payer.call()))

  expect(new Set(heard)).toEqual(new Set(['approved']))
  for (const payer of all) expect(await payer.books('approved')).toMatchObject({ charged: 1 })
  const redis = new Redis(stack.ledger.url)
  const keys = await redis.keys('*:payment:*')
  redis.disconnect()
  const used = new Set(keys.map((key) => key.slice(1, key.indexOf('}'))))
  expect([...used].sort()).toEqual(shardNames(SHARDS))
  expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
})

/** How often PayConex may have charged what stands so in our ledger. */
const POSSIBLE: Readonly<Record<string, readonly number[]>> = { approved: [1], not_sent: [0], unconfirmed: [0, 1] }

it('a worker that dies leaves no payment alone, whichever its shard', async () => {
  const [worker] = stack.workers
  const all = Array.from({ length: 12 }, () => payers.payer())
  for (const payer of all) await payer.fault({ fault: 'delay', ms: 600 })
  const calls = all.map((payer) => payer.call())
  await all[0]?.arrived('sale')

  worker?.kill('SIGKILL')
  await stack.addWorker()

  await Promise.all(calls)
  for (const payer of all) {
    const { ledger, charged } = await payer.books('approved', 'not_sent', 'unconfirmed')
    expect(POSSIBLE[ledger]).toContain(charged)
  }
  expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
})
