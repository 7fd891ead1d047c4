import { readBook, shardNames, WrongLedger } from '@pay/ledger'
import { connectFailingFast, connectShards, type ShardConnections } from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import { ConfigurationError } from './environment.ts'
import { reach } from './reach.ts'
import type { SharedEnvironment } from './shared-variables.ts'
import { SECOND } from './times.ts'

const REACH_LIMIT_MS = 5 * SECOND

type Name = 'QUEUE_REDIS_URL' | 'LEDGER_REDIS_URL'
type Server = { name: Name; url: string; caFile: string | undefined; shards: readonly string[] }

/** A server that takes commands. Refuses with a `ConfigurationError` that says why it does not. */
export async function connectOnce({ name, ...server }: Server): Promise<ShardConnections> {
  const connections = connectShards(connectFailingFast, server)
  const problems = await Promise.all(connections.map((redis) => reach(redis, REACH_LIMIT_MS)))
  const why = problems.find((problem) => problem !== undefined)
  if (why === undefined) return connections
  disconnect(connections)
  throw new ConfigurationError([`${name}: ${why}`])
}

export type LedgerToRead = Pick<SharedEnvironment, 'LEDGER_REDIS_URL' | 'CA_FILE' | 'SHARDS'> & {
  /** Absent where there is no LEDGER_KEY. */
  check?: string | undefined
}

/** The ledger, as somebody who only reads: begins no book. Refuses with a `ConfigurationError` where it has not been begun, or with
 * another number of shards than SHARDS says: payments would be looked for where they are not, and taken for ones that it never
 * knew. So every shard must have its book, and the one beyond the last must have none, which tells it also without LEDGER_KEY. */
export async function connectToRead({
  LEDGER_REDIS_URL: url,
  CA_FILE: caFile,
  SHARDS,
  check,
}: LedgerToRead): Promise<ShardConnections> {
  const shards = shardNames(SHARDS + 1)
  const connections = await connectOnce({ name: 'LEDGER_REDIS_URL', url, caFile, shards })
  try {
    const books = await Promise.all(
      shards.map((shard, nth) => readBook({ redis: connections[nth] ?? connections[0], shard, check })),
    )
    const problem = problemOf(books)
    if (problem !== undefined) throw new ConfigurationError([problem])
  } catch (error) {
    disconnect(connections)
    throw error instanceof WrongLedger ? new ConfigurationError([`LEDGER_REDIS_URL: ${error.message}`]) : error
  }
  const [first, ...others] = connections
  // In a cluster it has a connection of its own.
  if (others.at(-1) !== first) others.at(-1)?.disconnect()
  return [first, ...others.slice(0, -1)]
}

function problemOf(books: readonly unknown[]): string | undefined {
  if (books.at(-1)) return 'SHARDS: the ledger was begun with more shards'
  const begun = books.filter(Boolean).length
  if (begun === books.length - 1) return undefined
  if (begun > 0) return 'SHARDS: the ledger was begun with fewer shards'
  return 'LEDGER_REDIS_URL: no ledger has been begun there yet'
}

const disconnect = (connections: readonly Redis[]) => connections.forEach((redis) => void redis.disconnect())
