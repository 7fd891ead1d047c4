import { afterEach, describe, expect, inject, it } from 'vitest'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { connectFailingFast, whenReady } from './connection.ts'
import { LEDGER_SETTINGS, QUEUE_SETTINGS, wrongReplication, wrongSettings } from './redis-settings.ts'
import { joinAsReplica } from './testing-replica.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function connected(url: string) {
  const redis = connectFailingFast({ url })
  opened.push(() => redis.disconnect())
  expect(await whenReady(redis, 1000)).toBe(true)
  return redis
}

async function serverWith(...args: string[]) {
  const server = await startTestRedis({ kind: 'queue', args })
  opened.push(server.stop)
  return connected(server.url)
}

/** Whether this server knows WAITAOF: told by its version, not by how we look for it. */
async function canWait(redis: Awaited<ReturnType<typeof connected>>) {
  const [, major = 0, minor = 0] = /redis_version:(\d+)\.(\d+)/.exec(await redis.info('server')) ?? []
  return Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 2)
}

describe('the settings of a Redis', () => {
  it('are not complained about when they are right', async () => {
    const [queue, ledger] = await Promise.all([inject('queueRedisUrl'), inject('ledgerRedisUrl')].map(connected))
    if (!queue || !ledger) throw new Error('not connected')

    expect(await wrongSettings(queue, QUEUE_SETTINGS)).toEqual([])
    expect(await wrongSettings(ledger, LEDGER_SETTINGS)).toEqual([])
  })

  it('are each named when they are wrong, with what would come of it', async () => {
    const redis = await serverWith('--save', '60 1', '--appendonly', 'yes', '--maxmemory-policy', 'allkeys-lru')

    expect(await wrongSettings(redis, QUEUE_SETTINGS)).toEqual([
      'save must be "": a snapshot would keep card data on a disk',
      'appendonly must be "no": an append-only file would keep card data on a disk',
      'maxmemory-policy must be "noeviction": evicted jobs are lost payments',
    ])
  })

  it('of a ledger that flushes every second are refused', async () => {
    const redis = await serverWith('--appendonly', 'yes', '--appendfsync', 'everysec')

    expect(await wrongSettings(redis, LEDGER_SETTINGS)).toEqual([
      'appendfsync must be "always": everysec can lose a fence that was already acknowledged',
    ])
  })

  it('of a ledger that does not flush while its file is rewritten are refused', async () => {
    const redis = await serverWith(
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--no-appendfsync-on-rewrite',
      'yes',
    )

    expect(await wrongSettings(redis, LEDGER_SETTINGS)).toEqual([
      expect.stringMatching(/^no-appendfsync-on-rewrite must be "no"/),
    ])
  })

  it('of a queue are not good enough for a ledger, nor the other way round', async () => {
    const queue = await connected(inject('queueRedisUrl'))
    const ledger = await connected(inject('ledgerRedisUrl'))

    expect(await wrongSettings(queue, LEDGER_SETTINGS)).toContainEqual(
      expect.stringMatching(/^appendonly must be "yes"/),
    )
    expect(await wrongSettings(ledger, QUEUE_SETTINGS)).toContainEqual(
      expect.stringMatching(/^appendonly must be "no"/),
    )
  })

  it.each([
    ['has no CONFIG', ['--rename-command', 'CONFIG', '']],
    ['forbids CONFIG to us', ['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-config']],
  ])('that %s are to be checked by hand', async (_, args) => {
    const redis = await serverWith(...args)

    expect(await wrongSettings(redis, QUEUE_SETTINGS)).toEqual(
      ['save', 'appendonly', 'maxmemory-policy'].map(
        (setting) => `${setting} cannot be read: check it by hand, then set REDIS_CHECKED_BY_HAND=true`,
      ),
    )
  })

  it('cannot be judged while the server is away: that is no finding but an error', async () => {
    const redis = await serverWith()

    redis.disconnect()

    await expect(wrongSettings(redis, QUEUE_SETTINGS)).rejects.toThrow(Error)
  })
})

describe('the replication of a Redis', () => {
  it('is not complained about where there is none', async () => {
    const redis = await connected(inject('queueRedisUrl'))

    expect(await wrongReplication(redis, 'because')).toEqual([])
  })

  it('to another server is complained about, with what it would cost', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const redis = await connected(server.url)

    opened.push(joinAsReplica(server.url))

    const complaint = 'connected_slaves must be 0: because'
    await expect.poll(() => wrongReplication(redis, 'because')).toEqual([complaint])
  })

  it('of another server is complained about, with what it would cost', async () => {
    const redis = await serverWith('--replicaof', '127.0.0.1', '1')

    expect(await wrongReplication(redis, 'because')).toEqual(['role must be master: because'])
  })

  it('that must be acknowledged may have replicas, and needs a server that can wait for them: 7.2 or newer', async () => {
    const server = await startTestRedis({ kind: 'queue' })
    opened.push(server.stop)
    const redis = await connected(server.url)
    opened.push(joinAsReplica(server.url))
    await expect.poll(() => redis.info('replication')).toContain('connected_slaves:1')

    const complaints = await wrongReplication(redis, 'because', 1)

    const missing = 'WAITAOF is missing: LEDGER_REPLICAS_ACK needs Redis 7.2 or newer'
    expect(complaints).toEqual((await canWait(redis)) ? [] : [missing])
  })

  it('that must be acknowledged is complained about all the same where the server is itself the copy', async () => {
    const redis = await serverWith('--replicaof', '127.0.0.1', '1')

    expect(await wrongReplication(redis, 'because', 1)).toContain('role must be master: because')
  })

  it('that cannot be read is to be checked by hand', async () => {
    const redis = await serverWith()
    await redis.call('ACL', 'SETUSER', 'default', '-info')

    expect(await wrongReplication(redis, 'because')).toEqual(
      ['role', 'connected_slaves'].map(
        (field) => `${field} cannot be read: check it by hand, then set REDIS_CHECKED_BY_HAND=true`,
      ),
    )
  })

  it('cannot be judged while the server is away: that is no finding but an error', async () => {
    const redis = await serverWith()

    redis.disconnect()

    await expect(wrongReplication(redis, 'because')).rejects.toThrow(Error)
  })
})
