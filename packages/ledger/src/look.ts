import type { Redis } from 'ioredis'
import { timeOf } from './every-payment.ts'
import type { PaymentRecord } from './record.ts'
import { parseStored, STORED_NAMES } from './stored-record.ts'

/** One payment as it stands, for people. */
export type Look = {
  record: PaymentRecord
  /** When the sweeper looks at it; absent when nothing is left to do by itself. */
  dueAt?: number
  /** How many tries are held for it. */
  waiting: number
  /** When it was put on the list of late approvals. */
  lateAt?: number
  /** When it is forgotten; absent as long as it is not. */
  forgottenAt?: number
}

/** A shard, and a connection to where it lies. */
export type Place = { redis: Redis; shard: string }

/** Reads one payment past the scripts, with rights to read alone. Undefined where there is none. */
export async function lookAt({ redis, shard }: Place, key: string): Promise<Look | undefined> {
  const name = `{${shard}}:payment:${key}`
  const [now, values, due, late, ttl] = await Promise.all([
    timeOf(redis),
    redis.hmget(name, ...STORED_NAMES, 'waiting'),
    redis.zscore(`{${shard}}:open`, key),
    redis.zscore(`{${shard}}:late`, key),
    redis.pttl(name),
  ])
  return lookOf(key, { now, values, due, late, ttl })
}

type Read = { now: number; values: readonly (string | null)[]; due: string | null; late?: string | null; ttl?: number }

function lookOf(key: string, { now, values, due, late = null, ttl = -1 }: Read): Look | undefined {
  const record = parseStored(key, values, now)
  if (!record) return undefined
  return {
    record,
    ...(due !== null && { dueAt: Number(due) }),
    waiting: (values[STORED_NAMES.length] ?? '').split(' ').filter(Boolean).length,
    ...(late !== null && { lateAt: Number(late) }),
    ...(ttl >= 0 && { forgottenAt: now + ttl }),
  }
}

const AT_ONCE = 500

/** The payments that are not over, of one shard: quickly, however many are remembered. One that is open from the beginning to the end
 * is given at least once. Those for review are not among them: nothing is left to do by itself. */
export async function* openPayments({ redis, shard }: Place): AsyncGenerator<Look> {
  let cursor = '0'
  do {
    const [next, found] = await redis.zscan(`{${shard}}:open`, cursor, 'COUNT', AT_ONCE)
    cursor = next
    const members = pairsOf(found)
    const now = await timeOf(redis)
    const read = members.map(([key]) => redis.hmget(`{${shard}}:payment:${key}`, ...STORED_NAMES, 'waiting'))
    const values = await Promise.all(read)
    yield* members.flatMap(([key, due], nth) => lookOf(key, { now, values: values[nth] ?? [], due }) ?? [])
  } while (cursor !== '0')
}

/** A charge that was approved when nobody could hear of it any more, and when it was put on the list. */
export type LateApproval = { at: number; look: Look }

/** The list of late approvals of one shard, the oldest first; those that somebody has heard of since, or that are over in another way,
 * are left out. */
export async function lateApprovals(place: Place): Promise<LateApproval[]> {
  const { redis, shard } = place
  const listed = pairsOf(await redis.zrange(`{${shard}}:late`, 0, '-1', 'WITHSCORES'))
  const looks = await Promise.all(listed.map(([key]) => lookAt(place, key)))
  return listed.flatMap(([, at], nth) => {
    const look = looks[nth]
    return look?.record.state === 'approved' && !look.record.heard ? [{ at: Number(at), look }] : []
  })
}

const pairsOf = (texts: readonly string[]) =>
  texts.flatMap((text, nth) => (nth % 2 === 0 ? [[text, texts[nth + 1] ?? ''] as const] : []))
