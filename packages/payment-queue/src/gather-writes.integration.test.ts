import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { connectFailingFast, whenReady } from './connection.ts'
import { openPath } from './testing-path.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function openConnection(url = inject('queueRedisUrl')): Promise<Redis> {
  const redis = connectFailingFast({ url })
  opened.push(() => redis.disconnect())
  expect(await whenReady(redis, 1000)).toBe(true)
  return redis
}

function freshKey(redis: Redis): string {
  const key = `gathered:${randomUUID()}`
  opened.push(() => redis.del(key))
  return key
}

const numbers = (count: number) => Array.from({ length: count }, (_, nth) => String(nth))

/** Keeps this process from doing anything else. */
function work(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('commands of one turn of the event loop', () => {
  it('leave when it ends, all of them', async () => {
    const redis = await openConnection()
    const { stream } = redis

    const answers = [redis.echo('one'), redis.echo('zwei €'), redis.echo('three')]
    const heldBack = stream.writableLength
    await turn()
    const heldBackLater = stream.writableLength

    expect(heldBack).toBeGreaterThan(3 * 20)
    expect(heldBackLater).toBe(0)
    expect(await Promise.all(answers)).toEqual(['one', 'zwei €', 'three'])
  })

  it('are answered each on its own, refusals too', async () => {
    const redis = await openConnection()

    const answers = await Promise.allSettled([redis.echo('one'), redis.call('NOSUCH'), redis.echo('three')])

    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(answers[2]).toMatchObject({ value: 'three' })
  })

  it('keep their order, with each other and with those of later turns', async () => {
    const redis = await openConnection()
    const key = freshKey(redis)
    const pushed: Promise<unknown>[] = []
    for (const each of numbers(300)) {
      pushed.push(redis.rpush(key, Number(each) % 2 === 0 ? each : Buffer.from(each)))
      if (Number(each) % 7 === 0) await turn()
      if (Number(each) % 50 === 0) work(2)
    }

    await Promise.all(pushed)

    expect(await redis.lrange(key, 0, -1)).toEqual(numbers(300))
  })

  it('are on their way when the turn ends', async () => {
    const redis = await openConnection()
    const time = redis.time()

    await turn()
    const sentBefore = Date.now()
    work(400)

    expect(millisecondsOf(await time)).toBeLessThan(sentBefore + 300)
  })

  it('do not wait for a turn that takes long', async () => {
    const redis = await openConnection()

    const times = [redis.time()]
    work(2)
    times.push(redis.time())
    const sentBefore = Date.now()
    work(400)

    for (const time of times) expect(millisecondsOf(await time)).toBeLessThan(sentBefore + 300)
  })

  it('are written before a goodbye', async () => {
    const redis = await openConnection()

    const answers = numbers(20).map((each) => redis.echo(each))
    const goodbye = redis.quit()

    expect(await Promise.all(answers)).toEqual(numbers(20))
    expect(await goodbye).toBe('OK')
  })
})

describe('commands of a connection that is lost', () => {
  it('fail each by its time limit where the path is lost without a word, and are not sent again', async () => {
    const path = await openPath(inject('queueRedisUrl'))
    opened.push(path.close)
    const redis = await openConnection(path.url)
    const key = freshKey(redis)
    path.fallSilent()

    const answers = await Promise.allSettled(numbers(10).map(() => redis.incr(key)))

    for (const answer of answers) expect(answer).toMatchObject({ reason: { message: 'Command timed out' } })
    await expect.poll(() => redis.get(key).catch(() => 'away'), { interval: 50, timeout: 3000 }).toBeNull()
  })

  it('fail at once where it ends in the turn in which they were asked, and are not sent later', async () => {
    const redis = await openConnection()
    const key = freshKey(redis)

    const asked = redis.incr(key)
    redis.stream.destroy()

    await expect(asked).rejects.toThrow('max retries per request')
    await expect.poll(() => redis.get(key).catch(() => 'away'), { interval: 50, timeout: 3000 }).toBeNull()
  })
})

const millisecondsOf = ([seconds = 0, microseconds = 0]: readonly number[]) =>
  Number(seconds) * 1000 + Number(microseconds) / 1000
