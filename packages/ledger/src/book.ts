import { createHmac, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { noteText, openBookText } from './scripts.ts'

/** Which ledger this is, and the highest number of a fence that this process has seen of it. Every script compares both: a ledger
 * that was exchanged, or set back to before a fence, would let a payment be charged again. */
export type Book = { readonly identity: string; fences: number }

/** Raised when this ledger is not the one it must be. The process cannot go on: what it would do may be wrong about money. */
export class WrongLedger extends Error {
  override name = 'WrongLedger'
  readonly retry = false
}

// Changed with every change of the records that an older version could not read.
const FORMAT_VERSION = '3'

/** Says by which rules the keys of this ledger were made, without giving LEDGER_KEY away. */
export const checkValue = (ledgerKey: Buffer, shards: number): string =>
  createHmac('sha256', ledgerKey).update(`ledger v${FORMAT_VERSION}, ${shards} shards`).digest('base64url')

export type OpenBookOptions = { redis: Redis; check: string; shard?: string }

/** Opens this ledger's book, or begins it. `WrongLedger` where it was begun under another LEDGER_KEY, number of shards or format. */
export async function openBook({ redis, check, shard = 's0' }: OpenBookOptions): Promise<Book> {
  const fresh = randomBytes(9).toString('base64url')
  const reply = await redis.eval(openBookText(), 1, bookKey(shard), fresh, check)
  const [identity, found, fences] = BOOK.parse(reply)
  if (found !== check) throw new WrongLedger(OTHER_RULES)
  return { identity, fences }
}

/** The same for those who only read: begins no book, and runs no script. Undefined where there is none yet. Whoever has no LEDGER_KEY
 * has no check value to compare. */
export async function readBook({
  redis,
  check,
  shard = 's0',
}: Omit<OpenBookOptions, 'check'> & { check?: string | undefined }): Promise<Book | undefined> {
  const fields = await redis.hmget(bookKey(shard), 'identity', 'check', 'fences')
  if (fields[0] === null) return undefined
  const [identity, found, fences] = BOOK.parse(fields)
  if (check !== undefined && found !== check) throw new WrongLedger(OTHER_RULES)
  return { identity, fences }
}

// Payments that are remembered under names made with another key would not be found, and could be charged once more.
const OTHER_RULES =
  'it was begun with another LEDGER_KEY, SHARDS or version of this program. Start with the ones that it was begun with; ' +
  'they change only with a new, empty ledger, when every payment of this one is over (README.md, "Changing keys")'

const BOOK = z.tuple([z.string(), z.string(), z.coerce.number().int()])

export const bookKey = (shard: string) => `{${shard}}:ledger`

/** What was last seen of the ledger, kept on the queue's server: whoever starts anew knows it, too. It is gone with the queue's
 * memory; then the other processes still know. */
export function createWitness(queue: Redis, shard = 's0') {
  const key = `{${shard}}:ledger-seen`
  const script = noteText()
  return {
    /** Writes down what this process has seen, and learns what others have: a gateway hardly sees the fences of its own payments.
     * A lower number never replaces a higher one of the same ledger. */
    async note(book: Book): Promise<void> {
      const highest = await queue.eval(script, 1, key, book.identity, book.fences)
      book.fences = Math.max(book.fences, Number(highest))
    },
    /** What was last seen, by whomever. To be read before the book is: what is noted in between is no reason to doubt it. */
    async seen(): Promise<Book | undefined> {
      const [identity, fences] = await queue.hmget(key, 'identity', 'fences')
      return identity ? { identity, fences: Number(fences) } : undefined
    },
  }
}

/** `WrongLedger` where this ledger is another one than was last seen, or forgot fences. */
export function confirm(book: Book, seen: Book | undefined): void {
  if (seen && seen.identity !== book.identity) throw new WrongLedger(`it is another one than was last seen ${REMEDY}`)
  if (seen && book.fences < seen.fences) throw new WrongLedger(`it has forgotten payments that were sent ${REMEDY}`)
}

const REMEDY = '(docs/reliability.md, "When the ledger went back", says what to do)'
