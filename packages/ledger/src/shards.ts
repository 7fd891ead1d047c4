import type { Ledger } from './ledger.ts'

/** The hash tags of so many shards: `s0`, `s1`, ... All keys of a payment carry that of its shard. */
export const shardNames = (shards: number): string[] => Array.from({ length: shards }, (_, nth) => `s${nth}`)

/** On which of so many shards a payment lies, by its key alone: FNV-1a, 32 bits. Whoever asks with another number finds other
 * places, which is why the ledger's check value holds it. */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0
  let hash = 0x811c9dc5
  for (let nth = 0; nth < key.length; nth += 1) hash = Math.imul(hash ^ key.charCodeAt(nth), 0x01000193)
  return (hash >>> 0) % shards
}

/** What a gateway does with the books. (A worker works in each shard by itself: its job says in which.) */
export type GatewayLedger = Pick<Ledger, 'admit' | 'leave' | 'withdraw' | 'read' | 'readMany'> & {
  /** The number of the last fence where this payment lies, heard of with news of it. */
  saw: (fences: number, key: string) => void
}

/** The ledgers of all shards as one: every payment goes to its own. */
export function spreadLedger(ledgers: readonly [Ledger, ...Ledger[]]): GatewayLedger {
  const [only] = ledgers
  if (ledgers.length === 1) return only
  const home = (key: string) => ledgers[shardOf(key, ledgers.length)] ?? only

  return {
    admit: (admission) => home(admission.key).admit(admission),
    leave: (key, seat) => home(key).leave(key, seat),
    withdraw: (attempt, ...more) => home(attempt.key).withdraw(attempt, ...more),
    read: (key) => home(key).read(key),
    saw: (fences, key) => home(key).saw(fences),

    /** Undefined also for those of a shard that is away, as long as another one answers: it must not keep the others from being
     * read. */
    async readMany(keys) {
      const parts = ledgers.map((ledger) => ({ ledger, keys: keys.filter((key) => home(key) === ledger) }))
      const asked = parts.filter((part) => part.keys.length > 0)
      const read = await Promise.allSettled(asked.map((part) => part.ledger.readMany(part.keys)))
      const refused = read.filter((result) => result.status === 'rejected')
      if (refused[0] && refused.length === read.length) throw refused[0].reason
      const records = read.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
      const found = new Map(records.flatMap((record) => (record ? [[record.key, record]] : [])))
      return keys.map((key) => found.get(key))
    },
  }
}
