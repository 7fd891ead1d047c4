import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { z } from 'zod'
import { freePort } from '../../../scripts/process/free-port.ts'
import { canStartCluster, type RunningCluster, startCluster } from '../../../scripts/redis/cluster.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { joinAsReplica } from '../../payment-queue/src/testing-replica.ts'
import { ConfigurationError, readEnvironment } from './environment.ts'
import type { Log, LogFields } from './log.ts'
import { sharedVariables } from './shared-variables.ts'
import { openStores } from './stores.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const START_LIMIT_MS = 400

async function open(changes: Record<string, string> = {}, role?: 'gateway' | 'worker') {
  const env = readEnvironment(z.object(sharedVariables), {
    QUEUE_REDIS_URL: inject('queueRedisUrl'),
    LEDGER_REDIS_URL: inject('ledgerRedisUrl'),
    SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    LEDGER_KEY: randomBytes(32).toString('base64'),
    PAYCONEX_URL: 'http://127.0.0.1:8090',
    ...changes,
  })
  const warnings: LogFields[] = []
  const ignore = () => undefined
  const log: Log = { debug: ignore, info: ignore, error: ignore, warn: (fields) => void warnings.push(fields) }
  const wrong: ConfigurationError[] = []
  const stores = await openStores(env, log, (error) => void wrong.push(error), {
    startLimitMs: START_LIMIT_MS,
    ...(role && { role }),
  })
  opened.push(stores.close)
  return { stores, warnings, wrong }
}

async function problemsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await work.then(
    () => undefined,
    (error) => error,
  )
  if (error instanceof ConfigurationError) return error.problems
  throw error ?? new Error('it was not refused')
}

/** A way to a Redis on which it says of itself that it is one of version 5. */
async function openPathToThePast(to: string) {
  const { hostname, port } = new URL(to)
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    near.on('error', () => undefined).pipe(far)
    far.on('error', () => undefined).on('close', () => near.destroy())
    far.on('data', (data) => near.write(String(data).replace(/redis_version:\d/, 'redis_version:5')))
    near.on('close', () => far.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, close: () => server.close() }
}

const NOWHERE = async () => `redis://127.0.0.1:${await freePort()}`

describe('the stores', () => {
  it('are connected when they are there and set up as they must be', async () => {
    const { stores, warnings } = await open()

    expect(await Promise.all([stores.queue[0].ping(), stores.ledger[0].ping()])).toEqual(['PONG', 'PONG'])
    expect(warnings).toEqual([])
  })

  it('are refused when they stand in each other’s place, setting by setting', async () => {
    const swapped = { QUEUE_REDIS_URL: inject('ledgerRedisUrl'), LEDGER_REDIS_URL: inject('queueRedisUrl') }

    const problems = await problemsOf(open(swapped))

    expect(problems).toEqual([
      expect.stringMatching(/^QUEUE_REDIS_URL: appendonly must be "no": /),
      expect.stringMatching(/^LEDGER_REDIS_URL: appendonly must be "yes": /),
      expect.stringMatching(/^LEDGER_REDIS_URL: appendfsync must be "always": /),
    ])
  })

  it('are only warned about in relaxed mode', async () => {
    const swapped = { QUEUE_REDIS_URL: inject('ledgerRedisUrl'), LEDGER_REDIS_URL: inject('queueRedisUrl') }

    const { warnings } = await open({ ...swapped, MODE: 'relaxed' })

    expect(warnings).toHaveLength(3)
    expect(warnings[0]?.setting).toMatch(/^QUEUE_REDIS_URL: appendonly/)
  })

  it('are believed when somebody checked them by hand', async () => {
    const swapped = { QUEUE_REDIS_URL: inject('ledgerRedisUrl'), LEDGER_REDIS_URL: inject('queueRedisUrl') }

    const { warnings } = await open({ ...swapped, REDIS_CHECKED_BY_HAND: 'true' })

    expect(warnings).toEqual([])
  })

  it.each(['strict', 'relaxed'])('are refused when nobody answers, each by its variable, in MODE=%s', async (MODE) => {
    const away = { QUEUE_REDIS_URL: await NOWHERE(), LEDGER_REDIS_URL: await NOWHERE(), MODE }
    const started = performance.now()

    expect(await problemsOf(open(away))).toEqual([
      'QUEUE_REDIS_URL: no answer within 0.4 s (ECONNREFUSED)',
      'LEDGER_REDIS_URL: no answer within 0.4 s (ECONNREFUSED)',
    ])

    // Far from the 15 s that they would wait without a limit, also on a busy machine.
    expect(performance.now() - started).toBeLessThan(START_LIMIT_MS + 5000)
  })

  describe('that do not let us in', () => {
    /** A server that wants a password, `right`. */
    async function startClosed() {
      const server = await startTestRedis({ kind: 'queue' })
      const owner = new Redis(server.url)
      opened.push(server.stop, () => owner.disconnect())
      await owner.config('SET', 'requirepass', 'right')
      return new URL(server.url)
    }

    it('are refused at once when the password is wrong, without a word about it', async () => {
      const url = await startClosed()
      url.password = 'hunter2'
      url.username = 'default'

      const problems = await problemsOf(open({ QUEUE_REDIS_URL: url.href }))

      expect(problems).toEqual(['QUEUE_REDIS_URL: its user or password is wrong (WRONGPASS)'])
    })

    it('are refused at once when there is none', async () => {
      const url = await startClosed()

      const problems = await problemsOf(open({ LEDGER_REDIS_URL: url.href }))

      expect(problems).toEqual(['LEDGER_REDIS_URL: it wants a user and a password (NOAUTH)'])
    })

    it('are refused when they speak no TLS: they wait for more, and so do we for a while', async () => {
      const url = inject('queueRedisUrl').replace('redis:', 'rediss:')

      expect(await problemsOf(open({ QUEUE_REDIS_URL: url }))).toEqual(['QUEUE_REDIS_URL: no answer within 0.4 s'])
    })

    it('are refused when they are in protected mode', async () => {
      const guard = createServer((socket) => {
        socket.on('error', () => undefined).end('-DENIED Redis is running in protected mode\r\n')
      })
      opened.push(() => guard.close())
      guard.listen(0, '127.0.0.1')
      await once(guard, 'listening')

      const url = `redis://127.0.0.1:${(guard.address() as AddressInfo).port}`
      const problems = await problemsOf(open({ QUEUE_REDIS_URL: url }))

      expect(problems).toEqual(['QUEUE_REDIS_URL: it is in protected mode and lets in only its own machine (DENIED)'])
    })
  })

  it('are warned about when they ask nobody on their network for a password, for something else may keep strangers away', async () => {
    // Another name of this machine, which does not look like it.
    const { port } = new URL(inject('queueRedisUrl'))

    const { warnings } = await open({ QUEUE_REDIS_URL: `redis://0.0.0.0:${port}` })

    expect(warnings).toMatchObject([{ setting: expect.stringMatching(/^QUEUE_REDIS_URL: names no password: whoever/) }])
  })

  it('are refused when they are too old, by their version', async () => {
    const old = await openPathToThePast(inject('ledgerRedisUrl'))
    opened.push(old.close)

    const problems = await problemsOf(open({ LEDGER_REDIS_URL: old.url }))

    expect(problems).toEqual([
      expect.stringMatching(/^LEDGER_REDIS_URL: redis_version is 5\.\S+: 6\.2 or newer is needed$/),
    ])
  })

  it('are refused when our user there has too few rights, with those that it lacks', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    const owner = new Redis(server.url)
    opened.push(server.stop, () => owner.disconnect())
    await owner.call('ACL', 'SETUSER', 'worker', '-rpoplpush', '-bzpopmin')

    const problems = await problemsOf(open({ QUEUE_REDIS_URL: server.urls.worker }, 'worker'))

    expect(problems).toEqual([
      'QUEUE_REDIS_URL: its user has no right to rpoplpush {s0}:payments:*, bzpopmin (deploy/redis says what it needs)',
    ])
  })

  it('are refused to whoever comes as the other one: a gateway may not read what it sealed, a worker may not seal', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)

    const asWorker = await problemsOf(open({ QUEUE_REDIS_URL: server.urls.gateway }, 'worker'))
    const asGateway = await problemsOf(open({ QUEUE_REDIS_URL: server.urls.worker }, 'gateway'))

    expect(asWorker).toEqual([expect.stringMatching(/^QUEUE_REDIS_URL: its user has no right to get \{s0\}:sealed/)])
    expect(asGateway).toEqual([expect.stringMatching(/^QUEUE_REDIS_URL: its user has no right to set \{s0\}:sealed/)])
  })

  describe('that are copied to another server', () => {
    /** A server that has a replica. */
    async function startCopied(kind: 'queue' | 'ledger') {
      const server = await startTestRedis({ kind })
      const observer = new Redis(server.url)
      opened.push(server.stop, () => observer.disconnect(), joinAsReplica(server.url))
      await expect.poll(() => observer.info('replication')).toContain('connected_slaves:1')
      return server.url
    }

    const cases = [
      ['queue', 'QUEUE_REDIS_URL', 'a replica would remember cards elsewhere'],
      [
        'ledger',
        'LEDGER_REDIS_URL',
        'a fence that only one server has acknowledged is lost when another takes its place',
      ],
    ] as const

    it.each(cases)('are refused, the %s by its variable', async (kind, name, because) => {
      const url = await startCopied(kind)

      expect(await problemsOf(open({ [name]: url }))).toEqual([`${name}: connected_slaves must be 0: ${because}`])
    })

    it.each(cases)('are refused when they are the copy, the %s by its variable', async (kind, name, because) => {
      const server = await startTestRedis({ kind, args: ['--replicaof', '127.0.0.1', '1'] })
      opened.push(server.stop)

      expect(await problemsOf(open({ [name]: server.url }))).toEqual([`${name}: role must be master: ${because}`])
    })

    it('may be so where a ledger’s replicas must acknowledge, on a server that can wait for them', async () => {
      const url = await startCopied('ledger')
      const demanding = { LEDGER_REDIS_URL: url, LEDGER_REPLICAS_ACK: '1' }

      const problems = await open(demanding).then(
        () => [],
        (error: ConfigurationError) => error.problems,
      )

      const observer = new Redis(url)
      opened.push(() => observer.disconnect())
      const [known] = (await observer.command('INFO', 'WAITAOF')) as unknown[]
      const missing = 'LEDGER_REDIS_URL: WAITAOF is missing: LEDGER_REPLICAS_ACK needs Redis 7.2 or newer'
      expect(problems).toEqual(known ? [] : [missing])
    })

    it('may not be so with a queue, whatever the ledger’s replicas acknowledge', async () => {
      const url = await startCopied('queue')

      const problems = await problemsOf(open({ QUEUE_REDIS_URL: url, LEDGER_REPLICAS_ACK: '1' }))

      expect(problems).toContainEqual(expect.stringMatching(/^QUEUE_REDIS_URL: connected_slaves must be 0/))
    })

    it('are only warned about in relaxed mode, and believed when somebody checked them by hand', async () => {
      const url = await startCopied('queue')

      const relaxed = await open({ QUEUE_REDIS_URL: url, MODE: 'relaxed' })
      const checked = await open({ QUEUE_REDIS_URL: url, REDIS_CHECKED_BY_HAND: 'true' })

      expect(relaxed.warnings).toMatchObject([{ setting: expect.stringMatching(/^QUEUE_REDIS_URL: connected_slaves/) }])
      expect(checked.warnings).toEqual([])
    })
  })

  it('leave no connection behind when they are refused', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const observer = new Redis(server.url)
    opened.push(() => observer.disconnect())

    await problemsOf(open({ QUEUE_REDIS_URL: server.url, LEDGER_REDIS_URL: inject('queueRedisUrl') }))

    const connections = async () =>
      String(await observer.client('LIST'))
        .trim()
        .split('\n').length
    await expect.poll(connections).toBe(1)
  })
})

describe('a store that comes back', () => {
  it('is looked at again: another server may have taken its place', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const { stores, wrong } = await open({ QUEUE_REDIS_URL: server.url })
    const intruder = new Redis(server.url)
    opened.push(() => intruder.disconnect())

    await intruder.config('SET', 'appendonly', 'yes')
    stores.queue[0].disconnect(true)

    await expect.poll(() => wrong.length, { timeout: 2000 }).toBe(1)
    expect(wrong[0]?.problems).toEqual([expect.stringMatching(/^QUEUE_REDIS_URL: appendonly must be "no"/)])
  })

  it('is refused when it has become a replica', async () => {
    const server = await startTestRedis({ kind: 'ledger' })
    opened.push(server.stop)
    const { stores, wrong } = await open({ LEDGER_REDIS_URL: server.url })
    const operator = new Redis(server.url)
    opened.push(() => operator.disconnect())

    await operator.replicaof('127.0.0.1', 1)
    stores.ledger[0].disconnect(true)

    await expect.poll(() => wrong.length, { timeout: 2000 }).toBe(1)
    expect(wrong[0]?.problems).toEqual([expect.stringMatching(/^LEDGER_REDIS_URL: role must be master/)])
  })

  it('and lets us in no more is named once, while we try again', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const { stores, warnings } = await open({ QUEUE_REDIS_URL: server.url })
    const owner = new Redis(server.url)
    opened.push(() => owner.disconnect())
    let refusals = 0
    stores.queue[0].on('error', () => {
      refusals += 1
    })

    await owner.config('SET', 'requirepass', 'changed')
    stores.queue[0].disconnect(true)

    await expect.poll(() => refusals, { timeout: 5000 }).toBeGreaterThan(2)
    expect(warnings).toMatchObject([
      { event: 'redis.refuses', setting: 'QUEUE_REDIS_URL: it wants a user and a password (NOAUTH)' },
    ])
  })

  it('is welcome when nothing has changed', async () => {
    const { stores, wrong } = await open()

    stores.queue[0].disconnect(true)
    await expect.poll(() => stores.queue[0].status).not.toBe('ready')
    await expect.poll(() => stores.queue[0].status, { timeout: 2000 }).toBe('ready')

    expect(await stores.queue[0].ping()).toBe('PONG')
    expect(wrong).toEqual([])
  })
})

describe.skipIf(!(await canStartCluster()))('stores in a cluster', () => {
  let cluster: RunningCluster

  beforeAll(async () => {
    cluster = await startCluster({ kind: 'ledger' })
  }, 30_000)

  afterAll(() => cluster?.stop())

  const addresses = () => cluster.nodes.map(({ url }) => new URL(url).host)

  it('are connected shard by shard, each checked where it lies', async () => {
    const { stores, warnings } = await open({ LEDGER_REDIS_URL: cluster.urls.worker, SHARDS: '6' }, 'worker')

    expect(await Promise.all(stores.ledger.map((redis) => redis.ping()))).toEqual(Array(6).fill('PONG'))
    expect(new Set(stores.ledger.map((redis) => redis.stream.remotePort)).size).toBe(3)
    expect(new Set(stores.queue).size).toBe(1)
    expect(warnings).toEqual([])
  })

  it('are refused by the address of the node that is wrong, and only that', async () => {
    const [, wrong] = cluster.nodes
    const redis = new Redis(wrong?.url ?? '')
    opened.push(() => redis.disconnect())
    await redis.config('SET', 'appendfsync', 'everysec')

    const problems = await problemsOf(open({ LEDGER_REDIS_URL: cluster.url, SHARDS: '6' }))

    await redis.config('SET', 'appendfsync', 'always')
    expect(problems).toEqual([
      expect.stringMatching(`^LEDGER_REDIS_URL \\(${addresses()[1]}\\): appendfsync must be "always"`),
    ])
  })

  it('are refused when a shard cannot be reached, by the name of the shard', async () => {
    const [node] = cluster.nodes
    await node?.kill()

    const problems = await problemsOf(open({ LEDGER_REDIS_URL: cluster.url, SHARDS: '6' }))

    await node?.restart()
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThan(6)
    for (const problem of problems) expect(problem).toMatch(/^LEDGER_REDIS_URL: s\d: no answer within 0.4 s/)
  })

  it('are refused where one node is taken for a server, and a server for a cluster', async () => {
    const asServer = await problemsOf(open({ LEDGER_REDIS_URL: cluster.nodes[0]?.url ?? '' }))
    const server = inject('ledgerRedisUrl').replace('redis:', 'redis+cluster:')
    const asCluster = await problemsOf(open({ LEDGER_REDIS_URL: server }))

    expect(asServer).toEqual([expect.stringMatching(/^LEDGER_REDIS_URL: it is a node of a cluster/)])
    expect(asCluster).toEqual([expect.stringMatching(/^LEDGER_REDIS_URL: s0: it is no cluster/)])
  })

  it('are taken, with a warning, where one node that is away stops all', async () => {
    const all = cluster.nodes.map(({ url }) => new Redis(url))
    opened.push(() => all.map((redis) => redis.disconnect()))
    const require = (value: string) =>
      Promise.all(all.map((redis) => redis.config('SET', 'cluster-require-full-coverage', value)))
    await require('yes')

    const { warnings } = await open({ LEDGER_REDIS_URL: cluster.url, SHARDS: '6' })

    await require('no')
    expect(warnings.map(({ setting }) => setting)).toEqual([
      expect.stringMatching(/^LEDGER_REDIS_URL: cluster-require-full-coverage should be "no"/),
    ])
  })
})
