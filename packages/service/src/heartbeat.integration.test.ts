import { connectFailingFast, connectPatiently, whenReady } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { openPath } from '../../payment-queue/src/testing-path.ts'
import { startHeartbeat, type Watched, watchShards } from './heartbeat.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const EVERY_MS = 50
/** Where nothing may be lost, a busy machine must not look like a silent one. */
const CALM_MS = 200

const heartbeatOf = (...connections: Watched[]) => open(connections, EVERY_MS)
const calmHeartbeatOf = (...connections: Watched[]) => open(connections, CALM_MS)

function open(connections: readonly Watched[], everyMs: number) {
  const heartbeat = startHeartbeat(connections, { everyMs })
  opened.push(heartbeat.stop)
  return heartbeat
}

async function ready(redis: Redis): Promise<Redis> {
  opened.push(() => redis.disconnect())
  redis.on('error', () => undefined)
  expect(await whenReady(redis, 1000)).toBe(true)
  return redis
}

async function pathToQueue() {
  const path = await openPath(inject('queueRedisUrl'))
  opened.push(path.close)
  return path
}

/** How often the connection was lost, whoever gave it up. */
function losses(redis: Redis): () => number {
  let count = 0
  redis.on('close', () => {
    count += 1
  })
  return () => count
}

const pause = (beats: number, everyMs = EVERY_MS) => new Promise((resolve) => setTimeout(resolve, beats * everyMs))

describe('a heartbeat', () => {
  it('names nobody and disturbs nobody while all answer, also a connection that only listens', async () => {
    const url = inject('queueRedisUrl')
    const [store, modern, old] = await Promise.all([
      ready(connectFailingFast({ url })),
      ready(connectPatiently({ url })),
      ready(new Redis(url, { protocol: 2 })),
    ])
    await Promise.all([modern.subscribe('news'), old.subscribe('news')])
    const lost = [store, modern, old].map(losses)

    const heartbeat = calmHeartbeatOf(['store', store], ['modern', modern], ['old', old])
    expect(heartbeat.silent()).toEqual([])
    await pause(6, CALM_MS)

    expect(heartbeat.silent()).toEqual([])
    expect(lost.map((count) => count())).toEqual([0, 0, 0])
  })

  it('names a connection whose path was lost, and replaces it: a subscriber hears again', async () => {
    const path = await pathToQueue()
    const subscriber = await ready(connectPatiently({ url: path.url }))
    const publisher = await ready(connectFailingFast({ url: inject('queueRedisUrl') }))
    const channel = `news-${Math.random()}`
    const heard: string[] = []
    subscriber.on('message', (_channel, text) => void heard.push(text))
    await subscriber.subscribe(channel)
    const heartbeat = heartbeatOf(['reply channel', subscriber])

    path.fallSilent()

    await expect.poll(heartbeat.silent, { interval: 10 }).toEqual(['reply channel'])
    await expect.poll(heartbeat.silent, { interval: 10, timeout: 2000 }).toEqual([])
    // The server still counts the lost subscriber: nobody told it either.
    await expect.poll(() => publisher.pubsub('NUMSUB', channel)).toEqual([channel, 2])
    await publisher.publish(channel, 'hello')
    await expect.poll(() => heard).toEqual(['hello'])
  })

  it.each([
    ['decides now', connectFailingFast],
    ['waits anyway', connectPatiently],
  ])(
    'goes on naming one that %s while new connections fall silent too, and is content once they do not',
    async (_, connect) => {
      const path = await pathToQueue()
      const redis = await ready(connect({ url: path.url }))
      const heartbeat = heartbeatOf(['queue', redis])
      path.fallSilent('whole path')
      await expect.poll(heartbeat.silent, { interval: 10 }).toEqual(['queue'])
      await pause(20)
      expect(heartbeat.silent()).toEqual(['queue'])

      path.heal()

      await expect.poll(heartbeat.silent, { interval: 10, timeout: 2000 }).toEqual([])
      expect(await redis.ping()).toBe('PONG')
    },
  )

  it('names a server at once that says goodbye, and no longer when it is back', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const redis = await ready(connectFailingFast({ url: server.url }))
    const heartbeat = heartbeatOf(['queue', redis])

    await server.kill()
    await expect.poll(heartbeat.silent, { interval: 5, timeout: 3 * EVERY_MS }).toEqual(['queue'])

    await server.restart()
    await expect.poll(heartbeat.silent, { interval: 10, timeout: 2000 }).toEqual([])
  })

  it('names connections of one name once', async () => {
    const path = await pathToQueue()
    const [one, two] = [await ready(connectPatiently(path)), await ready(connectPatiently(path))]
    const heartbeat = heartbeatOf(['queue', one], ['queue', two])

    path.fallSilent('whole path')

    await expect.poll(heartbeat.silent, { interval: 10 }).toEqual(['queue'])
  })

  it('is content with a server that refuses the question: it is there', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const redis = await ready(connectFailingFast({ url: server.url }))
    await redis.call('ACL', 'SETUSER', 'default', '-ping')
    await expect(redis.ping()).rejects.toThrow('NOPERM')
    const lost = losses(redis)
    const heartbeat = calmHeartbeatOf(['queue', redis])

    await pause(6, CALM_MS)

    expect(heartbeat.silent()).toEqual([])
    expect(lost()).toBe(0)
  })

  it('blames nobody for a pause of its own process', async () => {
    const redis = await ready(connectFailingFast({ url: inject('queueRedisUrl') }))
    const lost = losses(redis)
    const heartbeat = calmHeartbeatOf(['queue', redis])
    await pause(1.5, CALM_MS)

    const until = performance.now() + 5 * CALM_MS
    while (performance.now() < until);
    await pause(1.5, CALM_MS)

    expect(heartbeat.silent()).toEqual([])
    expect(lost()).toBe(0)
  })

  it('that was stopped leaves a silent connection alone', async () => {
    const path = await pathToQueue()
    const redis = await ready(connectPatiently(path))
    const lost = losses(redis)
    const heartbeat = heartbeatOf(['queue', redis])

    heartbeat.stop()
    path.fallSilent()
    await pause(15)

    expect(lost()).toBe(0)
  })

  it('of shards names those that are away, and all of it only when none is left', async () => {
    const [one, two] = [await pathToQueue(), await pathToQueue()]
    const shards = [await ready(connectFailingFast(one)), await ready(connectFailingFast(two))]
    const heartbeat = heartbeatOf(...watchShards('queue', shards))
    expect([heartbeat.silent(), heartbeat.partly()]).toEqual([[], []])

    two.fallSilent('whole path')
    await expect.poll(heartbeat.partly, { interval: 10 }).toEqual(['queue s1'])
    expect(heartbeat.silent()).toEqual([])

    one.fallSilent('whole path')
    await expect.poll(heartbeat.silent, { interval: 10 }).toEqual(['queue'])
    expect(heartbeat.partly()).toEqual([])
  })

  it('of shards on one server watches its connection once', async () => {
    const redis = await ready(connectFailingFast({ url: inject('queueRedisUrl') }))

    expect(watchShards('queue', [redis, redis, redis])).toEqual([['queue', redis, undefined]])
  })
})
