import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { freePort } from '../../../scripts/process/free-port.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { connectFailingFast, connectPatiently, whenReady } from './connection.ts'
import {
  type Attempt,
  type ConsumerOptions,
  createConsumer,
  createProducer,
  createSealedPayments,
} from './payment-queue.ts'

const SEALED = '2.k1.sealed'
const TTL_MS = 60_000
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A connection as the gateway has it. */
async function connected(url: string = inject('queueRedisUrl')) {
  const redis = connectFailingFast({ url })
  opened.push(() => redis.disconnect())
  await whenReady(redis, 500)
  return redis
}

/** Both ends of a queue whose keys are the test's own. */
async function openQueue(url?: string) {
  const shard = randomUUID()
  const redis = await connected(url)
  const producer = createProducer(redis, shard)
  opened.push(producer.close)
  const sealed = createSealedPayments(redis, shard)
  const key = (name: string) => `{${shard}}:${name}`
  const keys = async () => (await redis.keys(`{${shard}}:*`)).map((name) => name.slice(key('').length)).sort()
  const waiting = () => redis.lrange(key('payments:wait'), 0, -1)
  return { producer, sealed, redis, key, keys, waiting, shard }
}

function consume({ shard, ...options }: { shard: string; url?: string } & Partial<ConsumerOptions>) {
  const redis = connectPatiently({ url: options.url ?? inject('queueRedisUrl') })
  const errors: unknown[] = []
  const given = { redis, shard, concurrency: 10, lockMs: 1000, onError: (error: unknown) => void errors.push(error) }
  const consumer = createConsumer({ process: async () => undefined, ...given, ...options })
  opened.push(async () => {
    await consumer.close()
    redis.disconnect()
  })
  return { errors, consumer }
}

/** By everybody: other tests use the same server. */
async function timesCalled(redis: Redis, command: string): Promise<number> {
  const [, calls = '0'] =
    new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(await redis.info('commandstats')) ?? []
  return Number(calls)
}

const first = (): Attempt => ({ key: `p_${randomUUID()}`, attempt: 1 })

/** What BullMQ keeps of its own when all jobs are done. */
const BOOKKEEPING = ['events', 'id', 'marker', 'meta', 'stalled-check'].map((name) => `payments:${name}`)

describe('adding a payment', () => {
  it('keeps it sealed beside the job, for as long as it may be needed and not longer', async () => {
    const { producer, sealed, redis, key } = await openQueue()
    const attempt = first()

    await producer.add(attempt, SEALED, TTL_MS)

    expect(await sealed.take(attempt)).toBe(SEALED)
    const ttl = await redis.pttl(key(`sealed:${attempt.key}.1`))
    expect(ttl).toBeGreaterThan(TTL_MS - 2000)
    expect(ttl).toBeLessThanOrEqual(TTL_MS)
  })

  it('and erasing it again takes one command for all that are due in the same moment', async () => {
    const { producer, keys, redis } = await openQueue()
    const attempts = Array.from({ length: 20 }, first)
    for (const attempt of attempts) await producer.add(attempt, SEALED, TTL_MS)
    const before = await timesCalled(redis, 'del')

    await Promise.all(attempts.map(producer.shredAgain))

    expect((await keys()).filter((name) => name.startsWith('sealed:'))).toEqual([])
    expect((await timesCalled(redis, 'del')) - before).toBeLessThan(attempts.length)
  })

  it('and a producer that closes has erased what was due', async () => {
    const { producer, sealed } = await openQueue()
    const attempt = first()
    await producer.add(attempt, SEALED, TTL_MS)

    void producer.shredAgain(attempt)
    await producer.close()

    expect(await sealed.take(attempt)).toBeNull()
  })

  it('makes a job that says which attempt of which payment, and nothing more', async () => {
    const { producer, redis, key, waiting } = await openQueue()
    const attempt = first()

    await producer.add(attempt, SEALED, TTL_MS)

    expect(await waiting()).toEqual([`${attempt.key}.1`])
    const job = await redis.hgetall(key(`payments:${attempt.key}.1`))
    expect(JSON.parse(job.data ?? '')).toEqual(attempt)
    expect(JSON.stringify(job)).not.toContain(SEALED)
  })

  it('brings its trace to the worker, beside a job that a worker which knows of no traces reads as ever', async () => {
    const { producer, redis, key, shard } = await openQueue()
    const [traced, untraced, odd] = [first(), first(), first()]
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

    await producer.add(traced, SEALED, TTL_MS, traceparent)
    await producer.add(untraced, SEALED, TTL_MS)
    await producer.add(odd, SEALED, TTL_MS, 'free text')
    expect(JSON.parse((await redis.hget(key(`payments:${traced.key}.1`), 'data')) ?? '')).toEqual(traced)
    const jobs: unknown[] = []
    const { errors } = consume({ shard, process: async (job) => void jobs.push(job) })

    await expect.poll(() => jobs).toEqual([{ ...traced, traceparent }, untraced, odd])
    expect(errors).toEqual([])
  })

  it('twice is one job, whose payment lives as long as the second says', async () => {
    const { producer, redis, key, waiting } = await openQueue()
    const attempt = first()
    await producer.add(attempt, SEALED, TTL_MS)

    await producer.add(attempt, `${SEALED}.again`, TTL_MS / 2)

    expect(await waiting()).toHaveLength(1)
    expect(await redis.pttl(key(`sealed:${attempt.key}.1`))).toBeLessThanOrEqual(TTL_MS / 2)
    expect(await redis.get(key(`sealed:${attempt.key}.1`))).toBe(`${SEALED}.again`)
  })

  it('of two attempts are two jobs, each with its own payment', async () => {
    const { producer, sealed, waiting } = await openQueue()
    const one = first()
    const two = { ...one, attempt: 2 }

    await producer.add(one, 'one', TTL_MS)
    await producer.add(two, 'two', TTL_MS)

    expect(await waiting()).toHaveLength(2)
    expect([await sealed.take(one), await sealed.take(two)]).toEqual(['one', 'two'])
  })

  it.each([-5, 0, 0.4])('whose time is up (%s ms left) still has a time to live', async (ttlMs) => {
    const { producer, sealed } = await openQueue()
    const attempt = first()

    await producer.add(attempt, SEALED, ttlMs)

    await expect.poll(() => sealed.take(attempt), { interval: 5 }).toBeNull()
  })
})

describe('a sealed payment', () => {
  it('can be taken again, because a job may run twice, until it is shredded', async () => {
    const { producer, sealed } = await openQueue()
    const [shredded, kept] = [first(), first()]
    await producer.add(shredded, SEALED, TTL_MS)
    await producer.add(kept, SEALED, TTL_MS)
    expect(await sealed.take(shredded)).toBe(SEALED)
    expect(await sealed.take(shredded)).toBe(SEALED)

    await sealed.shred(shredded)
    await sealed.shred(shredded)

    expect(await sealed.take(shredded)).toBeNull()
    expect(await sealed.take(kept)).toBe(SEALED)
  })

  it('that nobody sealed is not there', async () => {
    const { sealed } = await openQueue()

    expect(await sealed.take(first())).toBeNull()
  })
})

describe('while the queue is away', () => {
  it('adding fails at once, and it is known that it was never there', async () => {
    const { producer } = await openQueue(`redis://127.0.0.1:${await freePort()}`)
    const started = performance.now()

    await expect(producer.add(first(), SEALED, TTL_MS)).rejects.toThrow(Error)

    expect(performance.now() - started).toBeLessThan(100)
    expect(producer.awayForMs(first())).toBe(Number.POSITIVE_INFINITY)
  })

  it('it is known for how long, from when its connection was lost until there is one again', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const { producer, redis } = await openQueue(server.url)
    await producer.add(first(), SEALED, TTL_MS)
    expect(producer.awayForMs(first())).toBe(0)

    const killedAt = performance.now()
    await server.kill()
    await expect.poll(() => producer.awayForMs(first()), { interval: 5 }).toBeGreaterThan(100)
    expect(producer.awayForMs(first())).toBeLessThanOrEqual(performance.now() - killedAt)

    await server.restart()
    await expect.poll(() => redis.status, { timeout: 2000 }).toBe('ready')
    expect(producer.awayForMs(first())).toBe(0)
  })

  it('adding fails, and works again by itself once it is back, without what it held', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const { producer, redis, sealed, waiting } = await openQueue(server.url)
    const [before, after] = [first(), first()]
    await producer.add(before, SEALED, TTL_MS)
    await server.kill()
    await expect.poll(() => redis.status, { interval: 5 }).not.toBe('ready')
    await expect(producer.add(first(), SEALED, TTL_MS)).rejects.toThrow(Error)

    await server.restart()
    await expect.poll(() => redis.status, { timeout: 2000 }).toBe('ready')
    await producer.add(after, SEALED, TTL_MS)

    expect(await waiting()).toEqual([`${after.key}.1`])
    expect(await sealed.take(before)).toBeNull()
  })
})

describe('a job', () => {
  it('holds the attempt and nothing else that is known of it', async () => {
    const queue = await openQueue()
    const attempt = first()

    await queue.producer.add({ ...attempt, account: '120615000001' } as Attempt, SEALED, TTL_MS)

    const data = await queue.redis.hget(queue.key(`payments:${attempt.key}.1`), 'data')
    expect(JSON.parse(data ?? '')).toEqual(attempt)
  })
})

describe('a consumer', () => {
  it('gets each attempt, and of its job nothing is left', async () => {
    const queue = await openQueue()
    const attempts = [first(), first(), { ...first(), attempt: 7 }]
    const got: Attempt[] = []
    consume({ shard: queue.shard, process: async (attempt) => void got.push(attempt) })

    for (const attempt of attempts) await queue.producer.add(attempt, SEALED, TTL_MS)
    await expect.poll(() => got).toHaveLength(3)
    for (const attempt of attempts) await queue.sealed.shred(attempt)

    expect(got).toEqual(expect.arrayContaining(attempts))
    await expect.poll(async () => (await queue.keys()).filter((name) => !BOOKKEEPING.includes(name))).toEqual([])
  })

  it('that throws leaves no job either, and nothing of the error in the queue', async () => {
    const queue = await openQueue()
    const attempt = first()
    const process = async () => {
      throw new Error('cannot charge 4111111111111111')
    }
    const { errors } = consume({ shard: queue.shard, process })

    await queue.producer.add(attempt, SEALED, TTL_MS)
    await expect.poll(() => errors).toHaveLength(1)
    await queue.sealed.shred(attempt)

    await expect.poll(async () => (await queue.keys()).filter((name) => !BOOKKEEPING.includes(name))).toEqual([])
    const events = await queue.redis.xrange(queue.key('payments:events'), '-', '+')
    expect(JSON.stringify(events)).not.toContain('cannot charge')
  })

  it('is not asked to process what is no attempt', async () => {
    const queue = await openQueue()
    const got: Attempt[] = []
    const { errors } = consume({ shard: queue.shard, process: async (attempt) => void got.push(attempt) })

    const foreign = new Queue('payments', { connection: queue.redis, prefix: `{${queue.shard}}` })
    await foreign.add('payment', { ...first(), cardnumber: '4111111111111111' })
    await queue.producer.add({ key: 'p_1', attempt: 0 }, SEALED, TTL_MS)
    await expect.poll(() => errors).toHaveLength(2)

    expect(got).toEqual([])
    expect(JSON.stringify(errors.map(String))).not.toContain('4111')
  })

  it('that died leaves its job to another', async () => {
    const queue = await openQueue()
    const server = queue.redis
    const got: string[] = []
    const attempt = first()
    const dead = connectPatiently({ url: inject('queueRedisUrl') })
    opened.push(() => dead.disconnect())
    await queue.producer.add(attempt, SEALED, TTL_MS)
    // What BullMQ leaves of a worker that took a job and was killed: the job is active, its lock runs out.
    await server.lmove(queue.key('payments:wait'), queue.key('payments:active'), 'RIGHT', 'LEFT')

    consume({ shard: queue.shard, lockMs: 200, process: async ({ key }) => void got.push(key) })

    await expect.poll(() => got, { timeout: 2000 }).toEqual([attempt.key])
  })

  it('finishes what it has begun before it closes', async () => {
    const queue = await openQueue()
    const begun = Promise.withResolvers<void>()
    const finished: string[] = []
    const process = async ({ key }: Attempt) => {
      begun.resolve()
      await new Promise((resolve) => setTimeout(resolve, 100))
      finished.push(key)
    }
    const attempt = first()
    const { consumer } = consume({ shard: queue.shard, process })
    await queue.producer.add(attempt, SEALED, TTL_MS)
    await begun.promise

    await consumer.close()

    expect(finished).toEqual([attempt.key])
  })

  it('that rests leaves the jobs to others, and takes them again afterwards', async () => {
    const queue = await openQueue()
    const got: string[] = []
    const takes = (name: string) => ({ shard: queue.shard, process: async () => void got.push(name) })
    const resting = consume(takes('resting'))
    const add = async (count: number) => {
      for (let n = 0; n < count; n += 1) await queue.producer.add(first(), SEALED, TTL_MS)
    }
    await add(1)
    await expect.poll(() => got).toEqual(['resting'])
    const other = consume(takes('other'))
    got.length = 0

    resting.consumer.rest(true)
    await add(10)
    await expect.poll(() => got).toHaveLength(10)
    // One that already waited for a job when it was sent to rest may take that one.
    expect(got.filter((name) => name === 'resting').length).toBeLessThanOrEqual(1)
    await other.consumer.close()
    resting.consumer.rest(false)
    await add(1)

    await expect.poll(() => got).toHaveLength(11)
    expect(got.at(-1)).toBe('resting')
  })
})
