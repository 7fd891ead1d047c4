import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { readEnvironment } from './environment.ts'
import { sharedVariables } from './shared-variables.ts'
import { showSettings } from './show-settings.ts'
import { openStores, type Stores } from './stores.ts'

let servers: { queue: RunningRedis; ledger: RunningRedis }
let queue: Redis
const opened: Stores[] = []

beforeAll(async () => {
  const [first, second] = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  servers = { queue: first, ledger: second }
  queue = new Redis(first.url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
})

beforeEach(() => queue.config('SET', 'appendonly', 'no'))

afterAll(async () => {
  queue.disconnect()
  for (const { close } of opened) await close()
  await Promise.all([servers.queue.stop(), servers.ledger.stop()])
})

/** A process that has started, and what it shows of the settings. */
async function open(changes: Record<string, string> = {}) {
  const env = readEnvironment(z.object(sharedVariables), {
    QUEUE_REDIS_URL: servers.queue.url,
    LEDGER_REDIS_URL: servers.ledger.url,
    SEAL_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    LEDGER_KEY: Buffer.alloc(32, 9).toString('base64'),
    PAYCONEX_URL: 'http://127.0.0.1:8090',
    MODE: 'relaxed',
    ...changes,
  })
  const ignore = () => undefined
  const stores = await openStores(env, { debug: ignore, info: ignore, warn: ignore, error: ignore }, ignore)
  opened.push(stores)
  const registry = new Registry()
  showSettings(registry, stores)
  return async () => (await registry.metrics()).match(/^pay_.*/gm) ?? []
}

const well = ['pay_redis_wrong_settings{server="queue"} 0', 'pay_redis_wrong_settings{server="ledger"} 0']

it('a setting that is changed while everything runs is seen when Prometheus asks next, and that it was set right', async () => {
  const shown = await open()
  expect(await shown()).toEqual(expect.arrayContaining(well))

  await queue.config('SET', 'appendonly', 'yes')

  expect(await shown()).toContain('pay_redis_wrong_settings{server="queue"} 1')
  await queue.config('SET', 'appendonly', 'no')
  expect(await shown()).toEqual(expect.arrayContaining(well))
})

it('nothing is said of settings that a person has looked at', async () => {
  const shown = await open({ REDIS_CHECKED_BY_HAND: 'true' })

  expect(await shown()).toEqual([])
})

it('nothing is said of a server that is away', async () => {
  const shown = await open()
  expect(await shown()).toHaveLength(2)

  await servers.queue.stop()

  await expect.poll(shown, { timeout: 5000 }).toEqual(['pay_redis_wrong_settings{server="ledger"} 0'])
})
