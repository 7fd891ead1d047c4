import {
  type Book,
  checkValue,
  confirm,
  createLedger,
  createWitness,
  type Ledger,
  openBook,
  shardNames,
  spreadLedger,
  WrongLedger,
} from '@pay/ledger'
import { connectFailingFast, connectShards, whenReady } from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import { ConfigurationError } from './environment.ts'
import { missingKeys } from './keys-in-use.ts'
import { type Log, reasonOf } from './log.ts'
import { refuseOrWarn } from './refuse-or-warn.ts'
import type { SharedEnvironment } from './shared-variables.ts'
import type { Stores } from './stores.ts'
import { SECOND, type Times } from './times.ts'

// The same server has just answered on another connection.
const CONNECT_LIMIT_MS = 5 * SECOND

export type OpenLedgerOptions = {
  env: SharedEnvironment
  stores: Stores
  times: Times
  log: Log
  /** Called when the ledger stops being the one that was opened. The process must end. */
  onWrong: (error: ConfigurationError) => void
}

// The key of no payment.
const NOBODY = 'nobody'

/** The ledger of this process, after it was found to be the right one: begun by the same rules, not set back since anybody last saw
 * it, and with no open payment whose key this process lacks (in MODE=strict; relaxed warns). Refuses with a `ConfigurationError`
 * otherwise. Every shard has a book and fences of its own; `ledgers` are those of the shards, `ledger` is all of them as one. */
export async function openLedger({ env, stores, times, log, onWrong }: OpenLedgerOptions) {
  const pages = await openPages(stores, checkValue(env.LEDGER_KEY, env.SHARDS))
  refuseOrWarn(await missingKeys(stores.ledger, env), env, log)
  const durable = await connectDurably(env)
  const tended = pages.map((page, nth) => tend({ ...page, durable: durable[nth], env, times, log, onWrong }))
  const ledgers = tended.map(({ ledger }) => ledger) as [Ledger, ...Ledger[]]

  return {
    ledger: spreadLedger(ledgers),
    ledgers,
    close: async () => {
      await Promise.all(tended.map(({ close }) => close()))
      for (const redis of new Set(durable)) redis.disconnect()
    },
  }
}

/** A shard of the ledger, and what was seen of it elsewhere. */
type Page = { shard: string; redis: Redis; witness: ReturnType<typeof createWitness>; book: Book }

/** One after the other: a ledger that was begun with another number of shards is refused before books are begun for the others. */
async function openPages({ ledger, queue }: Stores, check: string): Promise<Page[]> {
  const pages: Page[] = []
  for (const [nth, shard] of shardNames(ledger.length).entries()) {
    const redis = ledger[nth] ?? ledger[0]
    const witness = createWitness(queue[nth] ?? queue[0], shard)
    const seen = await witness.seen()
    const book = await openBook({ redis, check, shard })
      .then((found) => confirmed(found, seen))
      .catch(refuse)
    pages.push({ shard, redis, witness, book })
  }
  return pages
}

async function connectDurably({
  LEDGER_REPLICAS_ACK,
  LEDGER_REDIS_URL: url,
  CA_FILE: caFile,
  SHARDS,
}: SharedEnvironment) {
  if (LEDGER_REPLICAS_ACK === 0) return []
  const connections = connectShards(connectFailingFast, { url, caFile, shards: shardNames(SHARDS) })
  await Promise.all(connections.map((redis) => whenReady(redis, CONNECT_LIMIT_MS)))
  return connections
}

type Tending = Page & Omit<OpenLedgerOptions, 'stores'> & { durable: Redis | undefined }

/** The ledger of one shard, looked at every so often, and what was seen of it noted. */
function tend({ shard, redis, witness, book, durable, env, times, log, onWrong }: Tending) {
  const replicas = env.LEDGER_REPLICAS_ACK
  const ledger = createLedger({
    redis,
    book,
    times,
    shard,
    // Whoever has not seen what this process has seen learns it before it is gone.
    onWrong: (error) => void note().finally(() => onWrong(named(error))),
    ...(durable && { durable: { redis: durable, replicas, withinMs: times.durableMs } }),
  })
  const noting = setInterval(() => void look(), times.noteMs)
  // A ledger that went back was away before.
  redis.on('ready', look)

  /** Whoever has nothing to do does not go on knowing a ledger that is another one by now. */
  async function look(): Promise<void> {
    await note()
    await ledger.read(NOBODY).catch(() => undefined)
  }

  /** Also when nothing has changed: the queue's server may have lost its memory. */
  function note(): Promise<void> {
    const missed = (error: unknown) =>
      log.warn({ event: 'queue.silent', step: 'note', reason: reasonOf(error) }, 'the queue did not answer')
    return witness.note(book).catch(missed)
  }

  return {
    ledger,
    close: async () => {
      clearInterval(noting)
      redis.off('ready', look)
      await note()
    },
  }
}

function confirmed(book: Book, seen: Book | undefined): Book {
  confirm(book, seen)
  return book
}

function refuse(error: unknown): never {
  throw error instanceof WrongLedger ? named(error) : error
}

const named = ({ message }: WrongLedger) => new ConfigurationError([`LEDGER_REDIS_URL: not this ledger: ${message}`])
