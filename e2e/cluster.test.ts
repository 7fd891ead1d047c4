import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity, shardNames, shardOf } from '@pay/ledger'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canStartCluster, type RunningCluster, startCluster } from '../scripts/redis/cluster.ts'
import type { RunningRedis } from '../scripts/redis/redis.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { createPayers, type Heard, type Payer, until } from './matrix-payer.ts'
import { whenOver } from './redis-journeys.ts'
import { witness } from './simulator.ts'

/** Queue and ledger each on a Redis Cluster of three, with six shards: what happens when one node dies under load, and comes back. */

// A fifth of the real times: tries of 2 s, SEND_BY 4.4 s, PayConex 6 s, ANSWER_BY 11 s.
const TIME_SCALE = 0.2
const SHARDS = 6
/** A payment of a shard that is served takes some milliseconds; on a busy machine more. */
const PROMPT_MS = 1_000

const isPossible = await canStartCluster()

let queue: RunningCluster
let ledger: RunningCluster
let stack: Stack
let payers: ReturnType<typeof createPayers>

beforeAll(async () => {
  if (!isPossible) return
  ;[queue, ledger] = await Promise.all([startCluster({ kind: 'queue' }), startCluster({ kind: 'ledger' })])
  const urlsOf = (app: 'gateway' | 'worker') => ({
    QUEUE_REDIS_URL: queue.urls[app],
    LEDGER_REDIS_URL: ledger.urls[app],
  })
  stack = await startTestStack({
    gateways: 2,
    workers: 2,
    env: { TIME_SCALE: String(TIME_SCALE), SHARDS: String(SHARDS), MODE: 'strict' },
    redis: { queueUrl: queue.url, ledgerUrl: ledger.url },
    gatewayEnv: urlsOf('gateway'),
    workerEnv: urlsOf('worker'),
  })
  payers = createPayers({ stack, timeScale: TIME_SCALE, ledgerUrls: ledger.nodes.map(({ url }) => url) })
}, 60_000)

afterAll(async () => {
  payers?.close()
  await stack?.stop()
  await Promise.all([queue?.stop(), ledger?.stop()])
})

async function ask<T>({ url }: RunningRedis, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

/** The keys of each node. */
const keysOf = (cluster: RunningCluster) =>
  Promise.all(cluster.nodes.map((node) => ask(node, (redis) => redis.keys('*'))))

/** The shards that lie on a node. */
async function shardsOn(node: RunningRedis): Promise<Set<number>> {
  return ask(node, async (redis) => {
    const own = await redis.cluster('MYID')
    const ranges = await redis.cluster('SLOTS')
    const slots = await Promise.all(shardNames(SHARDS).map((shard) => redis.cluster('KEYSLOT', `{${shard}}`)))
    const isOwn = (slot: number) =>
      ranges.some(([from, to, master]) => from <= slot && slot <= to && master?.[2] === own)
    return new Set(slots.flatMap((slot, nth) => (isOwn(slot) ? [nth] : [])))
  })
}

function shardOfPayer({ account, customId }: Payer): number {
  const { paymentKey } = createIdentity(Buffer.from(stack.env.LEDGER_KEY ?? '', 'base64'))
  return shardOf(paymentKey({ accountId: account, method: 'charge', transactionId: customId }), SHARDS)
}

type Call = { payer: Payer; shard: number; begunAt: number; tookMs: number; heard: Heard }

/** People who come one after the other, until `stop`, which waits for all of them. */
function load(everyMs = 60) {
  const calls: Promise<Call>[] = []
  let isOver = false
  const coming = (async () => {
    while (!isOver) {
      calls.push(one())
      await sleep(everyMs)
    }
  })()
  return {
    stop: async () => {
      isOver = true
      await coming
      return Promise.all(calls)
    },
  }
}

async function one(): Promise<Call> {
  const payer = payers.payer()
  const begunAt = performance.now()
  const heard = await payer.call()
  return { payer, shard: shardOfPayer(payer), begunAt, tookMs: performance.now() - begunAt, heard }
}

const pages = (path: string) =>
  Promise.all(
    [...stack.gateways, ...stack.workers].map(async ({ opsUrl }) => {
      const response = await fetch(`${opsUrl}${path}`)
      return `${response.status} ${(await response.text()).trim()}`
    }),
  )

/** Every shard takes payments again, at every gateway, and nothing is left to be done. */
async function isWhole(): Promise<void> {
  const served = new Set<number>()
  await until(
    async () => {
      const { shard, heard } = await one()
      if (heard === 'approved') served.add(shard)
      return served.size === SHARDS
    },
    10_000,
    20,
  )
  expect(served.size).toBe(SHARDS)
  const open = async () => {
    const counts = await Promise.all(
      ledger.nodes.map((node) =>
        ask(node, async (redis) => Promise.all((await redis.keys('*:open')).map((key) => redis.zcard(key)))),
      ),
    )
    return counts.flat().reduce((sum, count) => sum + count, 0)
  }
  // An approval that nobody has heard of stays open until nobody can come back for it: 12 s here.
  await expect.poll(open, { timeout: 25_000, interval: 200 }).toBe(0)
  await expect.poll(() => pages('/readyz'), { timeout: 5000 }).toEqual(Array(4).fill('200 ready'))
}

/** Nobody heard what is not true: compared with PayConex' own books and with ours. */
async function judge(calls: readonly Call[]): Promise<void> {
  for (const { payer, heard } of calls) {
    const books = await whenOver(payer)
    const isTrue =
      (heard === 'approved' && books.charged === 1 && books.ledger === 'approved') ||
      (heard === 'not_processed' && books.charged === 0 && books.ledger === 'not_sent') ||
      // Nothing certain was said; what became of it, both books agree upon.
      (['unconfirmed', 'silence'].includes(heard) && books.charged === (books.ledger === 'approved' ? 1 : 0))
    expect(isTrue, `${heard}: ${JSON.stringify(books)}`).toBe(true)
  }
  expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
}

/** The calls that were made while the node was away. */
const during = (calls: readonly Call[], [from, to]: readonly [number, number]) =>
  calls.filter(({ begunAt }) => begunAt >= from && begunAt < to)

const before = (calls: readonly Call[], time: number) => calls.filter(({ begunAt, tookMs }) => begunAt + tookMs < time)

const medianOf = (calls: readonly Call[]) =>
  calls.map(({ tookMs }) => tookMs).sort((a, b) => a - b)[Math.floor(calls.length / 2)] ?? Number.POSITIVE_INFINITY

/** As if nothing had happened; but a machine on which much else runs may be late for one or the other, and slow for all. */
function expectServed(calls: readonly Call[], earlier: readonly Call[]): void {
  const approved = calls.filter(({ heard }) => heard === 'approved')
  expect(approved.length / calls.length).toBeGreaterThan(0.9)
  expect(medianOf(approved)).toBeLessThan(Math.max(PROMPT_MS, 3 * medianOf(earlier)))
}

describe.skipIf(!isPossible)('six shards on clusters of three', () => {
  it('have payments on every node of both, each with all its keys in one shard', async () => {
    await isWhole()

    const [queueKeys, ledgerKeys] = await Promise.all([keysOf(queue), keysOf(ledger)])
    for (const keys of ledgerKeys) expect(keys.filter((key) => key.includes(':payment:')).length).toBeGreaterThan(0)
    for (const keys of queueKeys) expect(keys.filter((key) => key.includes(':payments:')).length).toBeGreaterThan(0)
    const tags = new Set([...queueKeys, ...ledgerKeys].flat().map((key) => key.slice(0, key.indexOf(':'))))
    expect([...tags].sort()).toEqual(shardNames(SHARDS).map((shard) => `{${shard}}`))
  })

  it('a node of the ledger dies under load: its shards wait, the others do not notice, and it comes back with all it knew', async () => {
    const node = ledger.nodes[0] as RunningRedis
    const away = await shardsOn(node)
    const running = load()
    await sleep(1000)

    await node.kill()
    const from = performance.now()
    await sleep(1500)
    const ready = await pages('/readyz')
    await sleep(500)
    const to = performance.now()
    await node.restart()
    await sleep(2500)
    const calls = await running.stop()

    const affected = during(calls, [from, to])
    const served = affected.filter(({ shard }) => !away.has(shard))
    expect(away.size).toBeGreaterThan(0)
    expect(served.length).toBeGreaterThan(5)
    expectServed(served, before(calls, from))
    const missing = [...away].sort().map((shard) => `ledger s${shard}`)
    expect(ready).toEqual(Array(4).fill(`200 ready, but not for ${missing.join(', ')}`))
    await isWhole()
    await judge(calls)
  })

  it('need no right that the users of deploy/redis lack', async () => {
    const nodes = [...queue.nodes, ...ledger.nodes]

    const refusals = await Promise.all(nodes.map((node) => ask(node, (redis) => redis.call('ACL', 'LOG'))))

    expect(refusals.flat()).toEqual([])
  })

  it('a node of the queue dies under load: payments of its shards are refused at once, the others go on', async () => {
    const node = queue.nodes[1] as RunningRedis
    const away = await shardsOn(node)
    const running = load()
    await sleep(1000)

    await node.kill()
    // Until its connections have been told.
    await sleep(100)
    const from = performance.now()
    await sleep(2000)
    const to = performance.now()
    await node.restart()
    await sleep(2500)
    const calls = await running.stop()

    const affected = during(calls, [from, to])
    const refused = affected.filter(({ shard }) => away.has(shard))
    const served = affected.filter(({ shard }) => !away.has(shard))
    expect(refused.length).toBeGreaterThan(0)
    expect([...new Set(refused.map(({ heard }) => heard))]).toEqual(['not_processed'])
    expect(medianOf(refused)).toBeLessThan(PROMPT_MS)
    expectServed(served, before(calls, from))
    await isWhole()
    await judge(calls)
  })
})
