import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { canStartCluster, type RunningCluster, startCluster } from '../../../scripts/redis/cluster.ts'
import { connectFailingFast, connectPatiently, whenReady } from './connection.ts'

const opened: Redis[] = []
let cluster: RunningCluster

const isPossible = await canStartCluster()

beforeAll(async () => {
  if (isPossible) cluster = await startCluster({ kind: 'ledger' })
}, 30_000)

afterEach(() => {
  for (const redis of opened.splice(0)) redis.disconnect()
})

afterAll(() => cluster?.stop())

const keep = (redis: Redis): Redis => {
  opened.push(redis)
  return redis
}

const connect = (shard?: string, open: typeof connectFailingFast = connectFailingFast) =>
  keep(open({ url: cluster.urls.worker, shard }))

const administrator = (nth: number) => keep(new Redis(cluster.nodes[nth]?.url ?? ''))

/** On which node a connection ends. */
const portOf = (redis: Redis) => redis.stream.remotePort

const SHARDS = Array.from({ length: 6 }, (_, nth) => `s${nth}`)

/** Gives the slot of a shard to another node, as an operator would: here it is empty. */
async function move(shard: string, from: Redis, to: Redis): Promise<void> {
  const slot = await from.cluster('KEYSLOT', `{${shard}}`)
  const [fromId, toId] = await Promise.all([from, to].map((node) => node.cluster('MYID')))
  if (!fromId || !toId) throw new Error('a node has no id')
  await to.cluster('SETSLOT', slot, 'IMPORTING', fromId)
  await from.cluster('SETSLOT', slot, 'MIGRATING', toId)
  for (const node of [to, from]) await node.cluster('SETSLOT', slot, 'NODE', toId)
}

describe.skipIf(!isPossible)('a connection into a cluster', () => {
  it('ends at the node on which its shard lies, and all nodes have some', async () => {
    const connections = SHARDS.map((shard) => connect(shard))
    for (const each of connections) expect(await whenReady(each, 5000)).toBe(true)

    for (const [nth, redis] of connections.entries()) await redis.get(`{${SHARDS[nth]}}:lease:x`)

    expect(new Set(connections.map(portOf)).size).toBe(cluster.nodes.length)
  })

  it('follows its shard to another node: a command fails, is not sent again, and the next one arrives', async () => {
    const redis = connect('s1')
    await whenReady(redis, 5000)
    const home = portOf(redis)
    const nodes = cluster.nodes.map((_, nth) => administrator(nth))
    const from = nodes.find(({ options }) => options.port === home)
    const to = nodes.find(({ options }) => options.port !== home)
    if (!from || !to) throw new Error('no such node')

    await move('s1', from, to)

    await expect(redis.set('{s1}:lease:x', 'yes')).rejects.toThrow(/^MOVED/)
    await expect.poll(() => redis.set('{s1}:lease:x', 'no').catch(() => undefined), { timeout: 5000 }).toBe('OK')
    expect(portOf(redis)).toBe(to.options.port)
    expect(await to.get('{s1}:lease:x')).toBe('no')
    await to.del('{s1}:lease:x')
    await move('s1', to, from)
  })

  it('hears on one node what is published on any', async () => {
    const subscriber = keep(connectPatiently({ url: cluster.urls.gateway }))
    const heard: string[] = []
    subscriber.on('message', (_channel, text) => void heard.push(text))
    await subscriber.subscribe('reply:g1')

    for (const [nth] of cluster.nodes.entries()) await administrator(nth).publish('reply:g1', `from ${nth}`)

    await expect.poll(() => heard.length).toBe(cluster.nodes.length)
  })

  it('that listens goes to another node when its own dies; commands for a node that is away fail at once', async () => {
    const subscriber = keep(connectPatiently({ url: cluster.urls.gateway }))
    await subscriber.subscribe('reply:g2')
    const died = cluster.nodes.find(({ url }) => Number(new URL(url).port) === portOf(subscriber))
    const shards = SHARDS.map((shard) => connect(shard))
    for (const each of shards) await whenReady(each, 5000)
    const away = shards.filter((redis) => portOf(redis) === portOf(subscriber))
    const here = shards.filter((redis) => !away.includes(redis))
    const resubscribed = new Promise((resolve) => subscriber.once('ready', resolve))

    await died?.kill()

    await resubscribed
    for (const redis of away) await expect(redis.ping()).rejects.toThrow()
    for (const redis of here) expect(await redis.ping()).toBe('PONG')
    const heard: string[] = []
    subscriber.on('message', (_channel, text) => void heard.push(text))
    await subscriber.subscribe('reply:g2')
    const [alive] = cluster.nodes.flatMap((node, nth) => (node === died ? [] : [nth]))
    await administrator(alive ?? 0).publish('reply:g2', 'again')
    await expect.poll(() => heard).toEqual(['again'])

    await died?.restart()
    for (const redis of away) await expect.poll(() => redis.ping().catch(() => ''), { timeout: 8000 }).toBe('PONG')
  })

  it('is refused by its password, and says so', async () => {
    const url = cluster.urls.worker.replace(/:[^:@]+@/, ':wrong@')
    const redis = keep(connectFailingFast({ url, shard: 's0' }))
    const errors: string[] = []
    redis.on('error', ({ message }) => void errors.push(message))

    await expect.poll(() => errors[0]).toMatch(/^WRONGPASS/)
  })
})
