import { type EveryPaymentOptions, everyPayment, type PaymentRecord, readBook, shardNames } from '@pay/ledger'
import { connectFailingFast, connectShards } from '@pay/payment-queue'
import { reach } from '@pay/service'
import type { ReconcileOptions } from './options.ts'
import { Unusable } from './unusable.ts'

const REACH_LIMIT_MS = 5000

export type Books = {
  payments: (options: Pick<EveryPaymentOptions, 'onProgress'>) => AsyncGenerator<PaymentRecord>
  close: () => void
}

/** The ledger, as somebody who may only read. Refused where it has not been begun, or with more shards than SHARDS says: every
 * payment of a shard that was not looked at would be taken for one that the ledger never knew. */
export async function openBooks({
  LEDGER_REDIS_URL: url,
  CA_FILE: caFile,
  SHARDS,
}: ReconcileOptions['env']): Promise<Books> {
  const shards = shardNames(SHARDS)
  const [beyond = ''] = shardNames(SHARDS + 1).slice(-1)
  const connections = connectShards(connectFailingFast, { url, caFile, shards: [...shards, beyond] })
  const close = () => connections.forEach((redis) => void redis.disconnect())
  try {
    for (const why of await Promise.all(connections.map((redis) => reach(redis, REACH_LIMIT_MS))))
      if (why !== undefined) throw new Unusable(`LEDGER_REDIS_URL: ${why}`)
    const books = await Promise.all(
      [...shards, beyond].map((shard, nth) => readBook({ redis: connections[nth] ?? connections[0], shard })),
    )
    if (books.at(-1)) throw new Unusable('SHARDS: the ledger was begun with more shards')
    if (!books.slice(0, -1).every(Boolean))
      throw new Unusable(SHARDS === 1 ? NOT_BEGUN : `${NOT_BEGUN}, or with fewer shards`)
  } catch (error) {
    close()
    throw error
  }
  const ledger = connections.slice(0, -1)
  return { payments: (options) => everyPayment({ ledger, ...options }), close }
}

const NOT_BEGUN = 'LEDGER_REDIS_URL: no ledger has been begun there yet'
