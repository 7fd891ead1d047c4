import { type KeptCredentials, keptCredentials, shardNames } from '@pay/ledger'
import { CannotOpen, keyIdOf, openCredentials, type SealKeys, type ShardConnections } from '@pay/payment-queue'

type Ring = { SEAL_KEYS: SealKeys; LOST_SEAL_KEYS: readonly string[] }

/** Why this ring of keys will not do for the payments that are open in the ledger, one line for each key that is missing, or is
 * not the one of its name. Without it nobody could ask PayConex what became of them. Keys that are said to be lost are left out. */
export async function missingKeys(ledger: ShardConnections, { SEAL_KEYS, LOST_SEAL_KEYS }: Ring): Promise<string[]> {
  const used = await keysInUse(ledger, (kept) => isUnder(kept, SEAL_KEYS))
  // One that opens others is the right one: what it does not open was altered, which the worker says when it looks at it.
  const missing = [...used].filter(([id, { fitting }]) => fitting === 0 && !LOST_SEAL_KEYS.includes(id))
  return missing.map(([id, { payments }]) => {
    const problem = SEAL_KEYS.all.has(id) ? 'is another key than it was' : 'is missing'
    return `SEAL_KEYS: ${id} ${problem}, and open payments are sealed under it (${payments}): ${REMEDY}`
  })
}

const REMEDY = 'put it back, at the end, until `npm run keys -- used` does not list it (if it is lost: LOST_SEAL_KEYS)'

/** Under which keys the credentials of open payments are sealed, in all shards: of how many, and how many of them are `fitting`. */
export async function keysInUse(ledger: ShardConnections, isFitting: (kept: KeptCredentials) => boolean = () => true) {
  const used = new Map<string, { payments: number; fitting: number }>()
  for await (const portion of keptInAll(ledger)) {
    for (const kept of portion) {
      const id = keyIdOf(kept.sealed)
      if (id === undefined) continue
      const { payments, fitting } = used.get(id) ?? { payments: 0, fitting: 0 }
      used.set(id, { payments: payments + 1, fitting: fitting + (isFitting(kept) ? 1 : 0) })
    }
  }
  return used
}

async function* keptInAll(ledger: ShardConnections): AsyncGenerator<KeptCredentials[]> {
  const shards = shardNames(ledger.length)
  for (const [nth, redis] of ledger.entries()) yield* keptCredentials(redis, shards[nth])
}

function isUnder({ key, sealed }: KeptCredentials, keys: SealKeys): boolean {
  try {
    openCredentials(sealed, key, keys)
    return true
  } catch (error) {
    if (!(error instanceof CannotOpen)) throw error
    return error.code === 'OTHER_VERSION'
  }
}
