import type { Redis } from 'ioredis'
import { type PaymentRecord, type State, UnreadableRecord } from './record.ts'
import { shardNames } from './shards.ts'
import { parseStored, STORED_NAMES } from './stored-record.ts'

/** Which payments are wanted; all by default. `since` and `until` (not included) are ms of the ledger's clock, and are compared
 * with the first try of the latest attempt. */
export type Wanted = {
  states?: ReadonlySet<State> | undefined
  account?: string | undefined
  since?: number | undefined
  until?: number | undefined
}

export type EveryPaymentOptions = Wanted & {
  /** A connection for each shard, in their order. Several may be the same, or end at the same server. */
  ledger: readonly Redis[]
  /** Their names; s0, s1, ... by default. */
  shards?: readonly string[]
  /** After every page: how many payments were read so far, wanted or not, and how many keys there are. Nearly all keys are
   * payments; both change while it walks. */
  onProgress?: (read: number, keys: number) => void
  /** Called with the payment's key for a record that a newer version wrote, which is left out. Without it the walk rejects. */
  onUnreadable?: (key: string) => void
  /** How much of a server is looked at with one command. */
  pageSize?: number
}

const PAGE_SIZE = 1000

/** All payments that the ledger remembers, in no order, as they stand when each is read: never what was sealed. It needs only rights
 * to read (the user `operator` has them), runs no script, keeps one page in memory, and walks each server once, however many shards
 * lie on it.
 *
 * A payment that is there from the beginning to the end of the walk is given at least once; one that comes or goes meanwhile perhaps.
 * One may be given twice (Redis may name a key twice while its table grows): whoever adds up compares `key`. Rejects when a server
 * does not answer, and when a shard moved to another node meanwhile: what was seen then is not everything. */
export async function* everyPayment(options: EveryPaymentOptions): AsyncGenerator<PaymentRecord> {
  const { ledger, shards = shardNames(ledger.length), onProgress = () => undefined } = options
  const places = ledger.map((redis, nth) => ({ redis, shard: shards[nth] ?? '' }))
  const servers = await serversOf(places)
  const sizes = await Promise.all(servers.map(({ redis }) => keysOf(redis)))
  const keys = sizes.reduce((sum, size) => sum + size, 0)
  let read = 0
  for (const server of servers) {
    for await (const page of pagesOf(server, options)) {
      read += page.length
      onProgress(read, keys)
      yield* page.filter((record) => isWanted(record, options))
    }
  }
  const now = await serversOf(places)
  if (now.some(({ runId, names }, nth) => servers[nth]?.runId !== runId || !isSame(servers[nth]?.names, names))) {
    throw new Error('a part of the ledger moved to another server while it was read; please begin again')
  }
}

type Place = { redis: Redis; shard: string }
type Server = { runId: string; redis: Redis; names: ReadonlySet<string> }

/** Which shards lie on one server. Its run id tells it: addresses differ, and a node has several connections. */
async function serversOf(places: readonly Place[]): Promise<Server[]> {
  const servers = new Map<string, { redis: Redis; names: Set<string> }>()
  const ids = await Promise.all(places.map(({ redis }) => runIdOf(redis)))
  for (const [nth, { redis, shard }] of places.entries()) {
    const runId = ids[nth] ?? ''
    const server = servers.get(runId) ?? { redis, names: new Set() }
    server.names.add(shard)
    servers.set(runId, server)
  }
  return [...servers].map(([runId, server]) => ({ runId, ...server }))
}

const isSame = (one: ReadonlySet<string> = new Set(), other: ReadonlySet<string>) =>
  one.size === other.size && [...one].every((name) => other.has(name))

const runIdOf = async (redis: Redis) => /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? ''

const keysOf = async (redis: Redis) => Number(/^db0:keys=(\d+)/m.exec(await redis.info('keyspace'))?.[1] ?? 0)

const FORM = /^\{(.*?)\}:payment:(.*)$/

async function* pagesOf({ redis, names }: Server, { pageSize = PAGE_SIZE, onUnreadable }: EveryPaymentOptions) {
  // A cluster's node looks at one slot only where the pattern names it.
  const [only] = names
  const pattern = names.size === 1 ? `{${only}}:payment:*` : '{*}:payment:*'
  let cursor = '0'
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', pageSize)
    cursor = next
    const ours = found.filter((name) => names.has(FORM.exec(name)?.[1] ?? ''))
    yield await readAll(redis, ours, onUnreadable)
  } while (cursor !== '0')
}

/** In one flight. One that was forgotten since it was named is left out. */
async function readAll(redis: Redis, names: readonly string[], onUnreadable: EveryPaymentOptions['onUnreadable']) {
  if (names.length === 0) return []
  const now = await timeOf(redis)
  const pipeline = redis.pipeline()
  for (const name of names) pipeline.hmget(name, ...STORED_NAMES)
  const replies = (await pipeline.exec()) ?? []
  return names.flatMap((name, nth) => {
    const [error, values] = replies[nth] ?? [new Error('the ledger did not answer')]
    if (error) throw error
    return parsed(FORM.exec(name)?.[2] ?? '', values as (string | null)[], now, onUnreadable) ?? []
  })
}

/** The server's clock in ms. */
export async function timeOf(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

function parsed(
  key: string,
  values: readonly (string | null)[],
  now: number,
  onUnreadable: EveryPaymentOptions['onUnreadable'],
): PaymentRecord | undefined {
  try {
    return parseStored(key, values, now)
  } catch (error) {
    if (!onUnreadable || !(error instanceof UnreadableRecord)) throw error
    onUnreadable(key)
    return undefined
  }
}

const isWanted = ({ state, account, first }: PaymentRecord, wanted: Wanted): boolean =>
  (wanted.states?.has(state) ?? true) &&
  (wanted.account === undefined || wanted.account === account) &&
  first >= (wanted.since ?? Number.NEGATIVE_INFINITY) &&
  first < (wanted.until ?? Number.POSITIVE_INFINITY)
