import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'
import { openTestLedger } from './testing.ts'

const redis = new Redis(inject('ledgerRedisUrl'))

afterAll(() => redis.disconnect())

const serverMs = async () => {
  const [seconds, micros] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

it('without a clock of the test’s own, the scripts go by the server’s, in milliseconds', async () => {
  const ledger = await openTestLedger({ redis, shard: randomUUID() })
  const before = await serverMs()

  const now = await ledger.renewLease('w1')

  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(await serverMs())
})
