import type { PaymentRecord } from '@pay/ledger'
import type { Redis } from 'ioredis'
import { credentials } from './payment.ts'

/** A ledger as it was at one moment, and the way back to there. */
export function createSnapshot(redis: Redis, shard: string) {
  const book = `{${shard}}:ledger`
  let taken: Map<string, Buffer | null> | undefined
  let fences: string | null = null

  const keysOf = (records: readonly PaymentRecord[]) => [
    ...['ledger', 'open', 'sweeper', 'honoured', 'review', 'ledger-seen'].map((name) => `{${shard}}:${name}`),
    ...records.map(({ key }) => `{${shard}}:payment:${key}`),
  ]

  return {
    isTaken: () => taken !== undefined,
    async take(records: readonly PaymentRecord[]): Promise<void> {
      const keys = keysOf(records)
      fences = await redis.hget(book, 'fences')
      const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
      taken = new Map(keys.map((key, nth) => [key, values[nth] ?? null]))
    },
    /** Whether something may have been sent since: whoever knows of it does not go on with what the snapshot says. */
    async isOutdated(): Promise<boolean> {
      return taken !== undefined && (await redis.hget(book, 'fences')) !== fences
    },
    /** Whether the queue's server knows, too. Where all who saw it died within the same second nobody can tell (decision 7). */
    async isKnownToBeOutdated(): Promise<boolean> {
      return (await redis.hget(`{${shard}}:ledger-seen`, 'fences')) === (await redis.hget(book, 'fences'))
    },
    async restore(): Promise<void> {
      for (const [key, value] of taken ?? []) {
        if (key.endsWith('-seen')) continue
        await redis.del(key)
        if (value) await redis.restore(key, 0, value)
      }
    },
    /** Leaves nothing behind. Leases go by themselves. */
    async remove(records: readonly PaymentRecord[], ids: readonly string[]): Promise<void> {
      const used = ids.map((id) => `{${shard}}:id:${credentials.accountId}|${id.slice(0, -2)}`)
      await redis.del(...keysOf(records), ...used)
    },
  }
}
