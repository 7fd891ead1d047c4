import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { freePort } from '../../../scripts/process/free-port.ts'
import { connectFailingFast, whenReady } from './connection.ts'
import { createProducer } from './payment-queue.ts'
import { createWeatherStation, lookAtWeather, type Report } from './weather.ts'

const LEASE_MS = 200
const busy: Report = { role: 'worker', concurrency: 10, busy: 4, meanServiceMs: 300, isCircuitOpen: false }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function connected(url: string = inject('queueRedisUrl')) {
  const redis = connectFailingFast({ url })
  opened.push(() => redis.disconnect())
  await whenReady(redis, 500)
  return redis
}

/** A place of the test's own, with as many stations as it wants. */
async function open() {
  const shard = randomUUID()
  const redis = await connected()
  const key = `{${shard}}:weather`
  opened.push(() => redis.del(key))
  const station = (id: string) => createWeatherStation({ redis, id, leaseMs: LEASE_MS, shard })
  return { redis, shard, key, station }
}

describe('a weather station', () => {
  it('tells everybody what everybody said last', async () => {
    const { station } = await open()
    await station('worker-1').report(busy)
    await station('worker-1').report({ ...busy, busy: 5 })
    await station('worker-2').report(busy)

    const weather = await station('gateway-1').report({ role: 'gateway' })

    expect(weather).toMatchObject({ gateways: 1, workers: 2, concurrency: 20, busy: 9, meanServiceMs: 300 })
  })

  it('tells the same to whoever only looks, and says nothing of him', async () => {
    const { redis, shard, key } = await open()
    const leaseMs = 60_000
    await createWeatherStation({ redis, id: 'worker-1', leaseMs, shard }).report({ ...busy, busy: 5 })
    const text = JSON.stringify(busy)
    await redis.hset(key, { old: `1 ${text}`, odd: 'no report', future: `9999999999999 ${text}` })

    const weather = await lookAtWeather({ redis, leaseMs, shard })

    expect(weather).toMatchObject({ gateways: 0, workers: 1, concurrency: 10, busy: 5, waitingJobs: 0 })
    expect(await redis.hlen(key)).toBe(4)
  })

  it('knows how many jobs wait', async () => {
    const { redis, shard, station } = await open()
    const producer = createProducer(redis, shard)
    opened.push(producer.close)
    for (const key of ['p_1', 'p_2', 'p_3']) await producer.add({ key, attempt: 1 }, 'sealed', 1000)

    expect(await station('gateway-1').report({ role: 'gateway' })).toMatchObject({ waitingJobs: 3 })
  })

  it('forgets whoever falls silent, and keeps whoever does not', async () => {
    const { station } = await open()
    await station('worker-1').report(busy)

    for (let waited = 0; waited < LEASE_MS * 1.5; waited += 50) {
      await station('worker-2').report(busy)
      await sleep(50)
    }

    expect(await station('gateway-1').report({ role: 'gateway' })).toMatchObject({ workers: 1, gateways: 1 })
  })

  it('forgets at once whoever leaves', async () => {
    const { redis, key, station } = await open()
    await station('worker-1').report(busy)

    await station('worker-1').leave()

    expect(await redis.exists(key)).toBe(0)
    expect(await station('worker-2').report(busy)).toMatchObject({ workers: 1 })
  })

  it('writes down until when each report counts, in milliseconds of the server’s clock', async () => {
    const { redis, key, station } = await open()
    const serverMs = async () => {
      const [seconds, micros] = await redis.time()
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
    }
    const before = await serverMs()
    await station('worker-1').report(busy)
    const after = await serverMs()

    const until = Number.parseInt((await redis.hget(key, 'worker-1')) ?? '', 10)
    expect(until).toBeGreaterThanOrEqual(before + LEASE_MS)
    expect(until).toBeLessThanOrEqual(after + LEASE_MS)
  })

  it('leaves nothing behind when all are gone', async () => {
    const { redis, key, station } = await open()
    await station('worker-1').report(busy)

    await expect.poll(() => redis.exists(key), { timeout: 2000 }).toBe(0)
  })

  it('does not believe what a clock wrote that has since gone back', async () => {
    const { redis, key, station } = await open()
    await redis.hset(key, 'worker-1', `${Date.now() + 3_600_000} ${JSON.stringify(busy)}`)

    expect(await station('gateway-1').report({ role: 'gateway' })).toMatchObject({ workers: 0 })
    expect(await redis.hkeys(key)).toEqual(['gateway-1'])
  })

  it('throws out what it cannot read', async () => {
    const { redis, key, station } = await open()
    await redis.hset(key, 'worker-1', 'of another kind')

    expect(await station('gateway-1').report({ role: 'gateway' })).toMatchObject({ gateways: 1, workers: 0 })
    expect(await redis.hkeys(key)).toEqual(['gateway-1'])
  })

  it('fails at once while the queue is away', async () => {
    const redis = await connected(`redis://127.0.0.1:${await freePort()}`)
    const station = createWeatherStation({ redis, id: 'gateway-1', leaseMs: LEASE_MS })

    await expect(station.report({ role: 'gateway' })).rejects.toThrow(Error)
  })
})
