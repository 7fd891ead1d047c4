import type { Redis } from 'ioredis'

/** The sealed credentials of one open payment. */
export type KeptCredentials = { key: string; sealed: string }

const AT_ONCE = 500

/** The sealed credentials that the ledger still keeps, in portions: those of all open payments, for any other has given them up.
 * Each payment that is open from the beginning to the end of the walk is named at least once. */
export async function* keptCredentials(redis: Redis, shard = 's0'): AsyncGenerator<KeptCredentials[]> {
  let cursor = '0'
  do {
    const [next, members] = await redis.zscan(`{${shard}}:open`, cursor, 'COUNT', AT_ONCE)
    const keys = members.filter((_, nth) => nth % 2 === 0)
    const texts = await Promise.all(keys.map((key) => redis.hget(`{${shard}}:payment:${key}`, 'credentials')))
    yield keys.flatMap((key, nth) => (texts[nth] ? [{ key, sealed: texts[nth] }] : []))
    cursor = next
  } while (cursor !== '0')
}
