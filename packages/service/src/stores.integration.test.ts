import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { z } from 'zod'
import { freePort } from '../../../scripts/process/free-port.ts'
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

async function open(changes: Record<string, string> = {}) {
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
  const stores = await openStores(env, log, (error) => void wrong.push(error), START_LIMIT_MS)
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

const NOWHERE = async () => `redis://127.0.0.1:${await freePort()}`

describe('the stores', () => {
  it('are connected when they are there and set up as they must be', async () => {
    const { stores, warnings } = await open()

    expect(await Promise.all([stores.queue.ping(), stores.ledger.ping()])).toEqual(['PONG', 'PONG'])
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
      'QUEUE_REDIS_URL: no answer within 0.4 s',
      'LEDGER_REDIS_URL: no answer within 0.4 s',
    ])

    expect(performance.now() - started).toBeLessThan(START_LIMIT_MS + 500)
  })

  it('are refused without a word about the password when it is wrong', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const owner = new Redis(server.url)
    opened.push(() => owner.disconnect())
    await owner.config('SET', 'requirepass', 'right')
    const url = new URL(server.url)
    url.password = 'hunter2'

    const problems = await problemsOf(open({ QUEUE_REDIS_URL: url.href }))

    expect(problems).toEqual(['QUEUE_REDIS_URL: no answer within 0.4 s'])
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

    it('are only warned about in relaxed mode, and believed when somebody checked them by hand', async () => {
      const url = await startCopied('queue')

      const relaxed = await open({ QUEUE_REDIS_URL: url, MODE: 'relaxed' })
      const checked = await open({ QUEUE_REDIS_URL: url, REDIS_CHECKED_BY_HAND: 'true' })

      expect(relaxed.warnings).toEqual([{ setting: expect.stringMatching(/^QUEUE_REDIS_URL: connected_slaves/) }])
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
    stores.queue.disconnect(true)

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
    stores.ledger.disconnect(true)

    await expect.poll(() => wrong.length, { timeout: 2000 }).toBe(1)
    expect(wrong[0]?.problems).toEqual([expect.stringMatching(/^LEDGER_REDIS_URL: role must be master/)])
  })

  it('is welcome when nothing has changed', async () => {
    const { stores, wrong } = await open()

    stores.queue.disconnect(true)
    await expect.poll(() => stores.queue.status).not.toBe('ready')
    await expect.poll(() => stores.queue.status, { timeout: 2000 }).toBe('ready')

    expect(await stores.queue.ping()).toBe('PONG')
    expect(wrong).toEqual([])
  })
})
