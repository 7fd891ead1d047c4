import type { Redis } from 'ioredis'
import { isRefusal } from './connection.ts'

/** A setting that a Redis must have, and what it would cost if it had another. */
export type RequiredSetting = { setting: string; is: string; because: string }

/** What a copy of a Redis on another server would cost. */
export const QUEUE_ALONE = 'a replica would remember cards elsewhere'
export const LEDGER_ALONE = 'a fence that only one server has acknowledged is lost when another takes its place'

/** The Redis that sees cards never remembers. */
export const QUEUE_SETTINGS: readonly RequiredSetting[] = [
  { setting: 'save', is: '', because: 'a snapshot would keep card data on a disk' },
  { setting: 'appendonly', is: 'no', because: 'an append-only file would keep card data on a disk' },
  { setting: 'maxmemory-policy', is: 'noeviction', because: 'evicted jobs are lost payments' },
]

/** The Redis that remembers never sees a card. */
export const LEDGER_SETTINGS: readonly RequiredSetting[] = [
  { setting: 'appendonly', is: 'yes', because: 'a fence that is only in memory is forgotten by a restart' },
  { setting: 'appendfsync', is: 'always', because: 'everysec can lose a fence that was already acknowledged' },
  // Whatever appendfsync says, with "yes" nothing is flushed while the file is rewritten (try_fsync in Redis' aof.c).
  {
    setting: 'no-appendfsync-on-rewrite',
    is: 'no',
    because: 'with "yes" a crash while the file is rewritten forgets fences, in spite of appendfsync always',
  },
  { setting: 'maxmemory-policy', is: 'noeviction', because: 'an evicted payment could be charged again' },
]

/** What is wrong, one line a setting, empty when all is well. A server that hides CONFIG is itself a finding: somebody
 * has to look by hand and say so. */
export async function wrongSettings(redis: Redis, required: readonly RequiredSetting[]): Promise<string[]> {
  const lines = await Promise.all(required.map((one) => wrongSetting(redis, one)))
  return lines.flat()
}

async function wrongSetting(redis: Redis, { setting, is, because }: RequiredSetting): Promise<string[]> {
  const found = await redis.config('GET', setting).then(settingIn, hidden)
  if (found === is) return []
  if (found === undefined) return [unreadable(setting)]
  return [`${setting} must be "${is}": ${because}`]
}

/** What is wrong with a Redis that is too old. (One that hides INFO is found out by whoever asks for its replication.) */
export async function wrongVersion(redis: Redis): Promise<string[]> {
  const info = await redis.info('server').catch(hidden)
  const [, version, major, minor] = /^redis_version:((\d+)\.(\d+)[^\r\n]*)/m.exec(info ?? '') ?? []
  const isRecent = Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2)
  if (version === undefined || isRecent) return []
  return [`redis_version is ${version}: 6.2 or newer is needed`]
}

/** What is wrong with a node of a cluster that is taken for a server of its own: what belongs to other nodes would be refused, and
 * a shard that moves away would be lost. (The other way round it is noticed when a node is asked for the others.) */
export async function wrongCluster(redis: Redis, isCluster: boolean): Promise<string[]> {
  const info = await redis.info('cluster').catch(hidden)
  const isEnabled = /^cluster_enabled:1/m.test(info ?? '')
  return isEnabled && !isCluster
    ? ['it is a node of a cluster: its URL must begin with redis+cluster:// or rediss+cluster://']
    : []
}

/** What is wrong with a Redis that is itself a copy, or is copied to another server. With `acknowledged` it may be: then every
 * fence waits for so many copies on disk, which the server must be able to do. */
export async function wrongReplication(redis: Redis, because: string, acknowledged = 0): Promise<string[]> {
  const info = await redis.info('replication').catch(hidden)
  const required = acknowledged > 0 ? { role: 'master' } : { role: 'master', connected_slaves: '0' }
  const wrong = Object.entries(required).flatMap(([field, is]) => {
    const value = new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info ?? '')?.[1]
    if (value === is) return []
    return [value === undefined ? unreadable(field) : `${field} must be ${is}: ${because}`]
  })
  return acknowledged > 0 ? [...wrong, ...(await withoutWaitaof(redis))] : wrong
}

async function withoutWaitaof(redis: Redis): Promise<string[]> {
  const [known] = (await redis.command('INFO', 'WAITAOF')) as unknown[]
  return known ? [] : ['WAITAOF is missing: LEDGER_REPLICAS_ACK needs Redis 7.2 or newer']
}

const unreadable = (name: string) => `${name} cannot be read: check it by hand, then set REDIS_CHECKED_BY_HAND=true`

/** CONFIG GET answers a list of name and value, also over RESP3 with ioredis' legacy mapping. */
const settingIn = (answer: unknown) => (Array.isArray(answer) ? (answer[1] as string | undefined) : undefined)

/** Only the server's own refusal means that something is hidden; a broken connection says nothing and is thrown on. */
function hidden(error: unknown): undefined {
  if (isRefusal(error)) return undefined
  throw error
}
