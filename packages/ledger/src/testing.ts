import type { Redis } from 'ioredis'
import { openBook } from './book.ts'
import { createLedger, type LedgerOptions, type LedgerTimes } from './ledger.ts'
import { NAMES } from './stored-record.ts'

/** Support for tests, of this package and of those that use it. */

export const testTimes: LedgerTimes = {
  sendByMs: 22_000,
  answerByMs: 55_000,
  repeatAfterMs: 8000,
  absenceMs: 630_000,
  leaseMs: 5000,
  retentionMs: 60_000,
  listeningMs: 60_000,
  abandonedMs: 3000,
}

/** Under which names the fields of a record lie in Redis, also those that nobody is told. */
export const FIELDS = { ...NAMES, told: 'd' } as const

export type TestLedgerOptions = Partial<Omit<LedgerOptions, 'times'>> & {
  redis: Redis
  shard: string
  times?: Partial<LedgerTimes>
}

/** A ledger of its own on a shared server, by its shard. */
export async function openTestLedger({ times = {}, ...options }: TestLedgerOptions) {
  const book = await openBook({ redis: options.redis, check: 'test', shard: options.shard })
  return createLedger({ book, ...options, times: { ...testTimes, ...times } })
}
