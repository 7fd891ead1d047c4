import type { Redis } from 'ioredis'

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

/** What is wrong with a Redis that is copied to another server, or is itself a copy. */
export async function wrongReplication(redis: Redis, because: string): Promise<string[]> {
  const info = await redis.info('replication').catch(hidden)
  return Object.entries(ALONE).flatMap(([field, is]) => {
    const value = new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info ?? '')?.[1]
    if (value === is) return []
    return [value === undefined ? unreadable(field) : `${field} must be ${is}: ${because}`]
  })
}

const ALONE = { role: 'master', connected_slaves: '0' }

const unreadable = (name: string) => `${name} cannot be read: check it by hand, then set REDIS_CHECKED_BY_HAND=true`

/** CONFIG GET answers a list of name and value, also over RESP3 with ioredis' legacy mapping. */
const settingIn = (answer: unknown) => (Array.isArray(answer) ? (answer[1] as string | undefined) : undefined)

/** Only the server's own refusal means that something is hidden; a broken connection says nothing and is thrown on. */
function hidden(error: unknown): undefined {
  if (error instanceof Error && error.name === 'ReplyError') return undefined
  throw error
}
