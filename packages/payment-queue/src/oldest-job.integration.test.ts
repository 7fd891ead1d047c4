import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { connectFailingFast, whenReady } from './connection.ts'
import { oldestJobMs } from './oldest-job.ts'
import { createConsumer, createProducer } from './payment-queue.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function connected() {
  const redis = connectFailingFast({ url: inject('queueRedisUrl') })
  opened.push(() => redis.disconnect())
  await whenReady(redis, 500)
  return redis
}

/** A queue of the test's own. */
async function open() {
  const shard = randomUUID()
  const redis = await connected()
  const producer = createProducer(redis, shard)
  opened.push(producer.close)
  const add = (key: string) => producer.add({ key, attempt: 1 }, 'sealed', 1000)
  return { redis, shard, add }
}

describe('the job that has waited longest', () => {
  it('is as old as the first that no worker has taken, however many come after it', async () => {
    const { redis, shard, add } = await open()
    await add('p_1')
    await sleep(200)
    await add('p_2')

    const ms = await oldestJobMs(redis, shard)

    expect(ms).toBeGreaterThanOrEqual(190)
    expect(ms).toBeLessThan(5000)
  })

  it('has no age where none waits', async () => {
    const { redis, shard } = await open()

    expect(await oldestJobMs(redis, shard)).toBe(0)
  })

  it('has no age any more when a worker has taken it', async () => {
    const { redis, shard, add } = await open()
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    const process = () => over
    const consumer = createConsumer({
      redis: await connected(),
      shard,
      concurrency: 1,
      lockMs: 1000,
      process,
      onError: () => undefined,
    })
    opened.push(consumer.close, end)
    await add('p_1')

    await expect.poll(() => oldestJobMs(redis, shard)).toBe(0)
  })
})
