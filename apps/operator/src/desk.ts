import {
  type Book,
  checkValue,
  confirm,
  createIdentity,
  createLedger,
  createWitness,
  type Identity,
  type Ledger,
  type Look,
  lookAt,
  openPayments,
  type Place,
  readBook,
  shardNames,
  shardOf,
} from '@pay/ledger'
import type { Method } from '@pay/mapper'
import { missingRights, type ShardConnections } from '@pay/payment-queue'
import { connectOnce, connectToRead, createTimes, type Times } from '@pay/service'
import type { Named } from './arguments.ts'
import { Refused, Unusable } from './ending.ts'
import type { OperatorEnvironment } from './environment.ts'

/** Where an operator sits: the ledger, connected and found to be the one that this environment describes. Looking needs rights to read
 * and nothing else; `hand` is for those who may change something, and asks first whether they may. */
export type Desk = {
  env: OperatorEnvironment
  times: Times
  places: readonly Place[]
  ledger: ShardConnections
  /** The payments of this name, of either method where none is chosen; empty where there is none. */
  find: (named: Named, method?: Method) => Promise<Look[]>
  /** Their keys, whether there are such payments or not. */
  keysOf: (named: Named, method?: Method) => string[]
  look: (key: string) => Promise<Look | undefined>
  placeOf: (key: string) => Place
  hand: (key: string) => Promise<Ledger>
  close: () => void
}

export async function openDesk(env: OperatorEnvironment): Promise<Desk> {
  const shards = shardNames(env.SHARDS)
  const check = env.LEDGER_KEY && checkValue(env.LEDGER_KEY, env.SHARDS)
  const ledger = await connectToRead({ ...env, check })
  const places = shards.map((shard, nth) => ({ shard, redis: ledger[nth] ?? ledger[0] }))
  const [first] = places as [Place]
  const opened: ShardConnections[] = [ledger]
  const close = () => opened.flat().forEach((redis) => void redis.disconnect())
  const identity = env.LEDGER_KEY && createIdentity(env.LEDGER_KEY)
  const times = createTimes(env)
  const placeOf = (key: string) => places[shardOf(key, places.length)] ?? first
  const look = (key: string) => lookAt(placeOf(key), key)
  const keysOf = (named: Named, method?: Method) => ('key' in named ? [named.key] : keysByName(named, identity, method))

  async function find(named: Named, method?: Method): Promise<Look[]> {
    const found = await Promise.all(keysOf(named, method).map(look))
    return found.filter((one): one is Look => one !== undefined && (method ?? one.record.method) === one.record.method)
  }

  async function hand(key: string): Promise<Ledger> {
    const { redis, shard } = placeOf(key)
    const lacks = await missingRights(redis, 'ledger', { role: 'cashier', shard })
    if (lacks.length > 0)
      throw new Unusable(`LEDGER_REDIS_URL: ${lacks.join()}. Changing payments is for the user cashier`)
    const seen = await lastSeen(shard)
    const book = await readBook({ redis, check, shard })
    if (!book) throw new Unusable('LEDGER_REDIS_URL: no ledger has been begun there yet')
    confirm(book, seen)
    return createLedger({ redis, book, shard, times })
  }

  /** What gateways and workers saw last, where the queue's URL is given: a ledger that went back is not written to. */
  async function lastSeen(shard: string): Promise<Book | undefined> {
    const { QUEUE_REDIS_URL: url, CA_FILE: caFile } = env
    if (url === undefined) return undefined
    const queue = await connectOnce({ name: 'QUEUE_REDIS_URL', url, caFile, shards })
    opened.push(queue)
    return createWitness(queue[shards.indexOf(shard)] ?? queue[0], shard).seen()
  }

  return { env, times, places, ledger, find, keysOf, look, placeOf, hand, close }
}

function keysByName(
  { account, transactionId }: Exclude<Named, { key: string }>,
  identity: Identity | undefined,
  method: Method | undefined,
): string[] {
  if (!identity)
    throw new Unusable('LEDGER_KEY is needed to find a payment by its transaction_id (or give its key, p_...)')
  const methods: readonly Method[] = method === undefined ? ['charge', 'tokenize'] : [method]
  return methods.map((one) => identity.paymentKey({ accountId: account, method: one, transactionId }))
}

/** The payments that are not over, of all shards. */
export async function* allOpen({ places }: Desk): AsyncGenerator<Look> {
  for (const place of places) yield* openPayments(place)
}

/** The one payment of this name. */
export async function findOne(desk: Desk, named: Named, method?: Method): Promise<Look> {
  const [look, other] = await desk.find(named, method)
  if (!look) throw new Refused(NOT_FOUND)
  if (other) throw new Refused('there is a charge and a token of this transaction_id: choose with --method')
  return look
}

export const NOT_FOUND =
  'no such payment: the ledger has never seen it, or has forgotten it (a payment that is over is remembered for LEDGER_RETENTION_DAYS)'
