import { afterEach, describe, expect, inject, it } from 'vitest'
import { connectFailingFast, connectPatiently, whenReady } from './connection.ts'
import { openPath } from './testing-path.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function openConnection(connect: typeof connectFailingFast) {
  const path = await openPath(inject('queueRedisUrl'))
  const redis = connect({ url: path.url })
  opened.push(path.close, () => redis.disconnect())
  expect(await whenReady(redis, 1000)).toBe(true)
  return { path, redis }
}

describe('a connection whose path is lost without a word', () => {
  it('fails what was asked, is given up, and works again once another gets through', async () => {
    const { path, redis } = await openConnection(connectFailingFast)

    path.fallSilent()

    const started = performance.now()
    await expect(redis.ping()).rejects.toThrow('Command timed out')
    await expect.poll(() => redis.ping().catch(() => undefined), { interval: 50, timeout: 3000 }).toBe('PONG')
    expect(performance.now() - started).toBeLessThan(4500)
  })

  it('is given up quickly by whoever knows that it is lost, though nobody says goodbye', async () => {
    const { path, redis } = await openConnection(connectPatiently)
    path.fallSilent()
    const answer = redis.ping()

    redis.disconnect(true)

    await expect.poll(() => redis.status, { interval: 20 }).not.toBe('ready')
    expect(await answer).toBe('PONG')
  })
})

describe('a connection of an idle consumer', () => {
  it('is not given up during the longest blocking read of BullMQ', async () => {
    const { redis } = await openConnection(connectPatiently)

    // 10 s (maximumBlockTimeout), and a second until BullMQ itself gives the read up.
    expect(redis.options.socketTimeout).toBeGreaterThan(11_000)
    expect(redis.options.commandTimeout).toBeUndefined()
  })
})
