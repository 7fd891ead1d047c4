import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'
import { inCluster } from './cluster-node.ts'
import { gatherWrites } from './gather-writes.ts'
import { knownPlace } from './redis-url.ts'

const SECOND = 1000

const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 500)

/** A path can be lost without a word (a firewall forgets, a host loses its power), and a command's time limit alone would keep
 * its connection for good. `socketTimeout` gives a connection up when nothing at all was heard for so long since a command was
 * sent; an idle connection it does not look at (`service/heartbeat.ts` does). Giving up says goodbye first, to which nobody
 * on a lost path answers: `disconnectTimeout` ends that wait. */
const DISCONNECT_TIMEOUT_MS = 250

/* `disableClientInfo`: Redis before 7.2 does not know CLIENT SETINFO, so that a list of users cannot permit it (deploy/redis). */

/** For whoever must decide now (the producer, the ledger): a command is answered or fails within two seconds, is never
 * sent twice behind our back and never waits in a queue for a server that is away. */
const failingFast = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 2 * SECOND,
  socketTimeout: 3 * SECOND,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  connectTimeout: 2 * SECOND,
  retryStrategy,
  replyMapping: 'legacy',
  disableClientInfo: true,
} as const satisfies RedisOptions

/** For whoever waits anyway (the consumer, the reply channel): commands wait for the server to come back. No time limit for a
 * command, and a long one for the connection, because it would cut off the blocking read of an idle consumer: BullMQ reads
 * for 5 s (drainDelay), at most for 10 s (maximumBlockTimeout), on a duplicate of the connection with the same options. */
const patient = {
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  socketTimeout: 20 * SECOND,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  connectTimeout: 2 * SECOND,
  retryStrategy,
  replyMapping: 'legacy',
  disableClientInfo: true,
} as const satisfies RedisOptions

/** `rediss://` verifies the server's certificate; `caFile` is an authority to trust besides the system's. In a cluster it is the
 * node on which the `shard` lies, or any that answers where none is named. */
export type ConnectionOptions = { url: string; caFile?: string | undefined; shard?: string | undefined }

export const connectFailingFast = (where: ConnectionOptions): Redis => open(failingFast, where)

export const connectPatiently = (where: ConnectionOptions): Redis => open(patient, where)

/** One connection for each shard, in their order: in a cluster of its own, on a server the same for all. */
export type ShardConnections = readonly [Redis, ...Redis[]]

export function connectShards(
  connect: typeof connectFailingFast,
  { url, caFile, shards }: Pick<ConnectionOptions, 'url' | 'caFile'> & { shards: readonly string[] },
): ShardConnections {
  const { isCluster } = knownPlace(url)
  const [first, ...others] = shards
  const one = connect({ url, caFile, shard: first })
  return [one, ...others.map((shard) => (isCluster ? connect({ url, caFile, shard }) : one))]
}

function open(options: typeof failingFast | typeof patient, { url, caFile, shard }: ConnectionOptions): Redis {
  const { isCluster, nodes } = knownPlace(url)
  const ca = caFile !== undefined && nodes[0].protocol === 'rediss:' ? readFileSync(caFile) : undefined
  if (isCluster) return tolerant(new Redis({ ...options, ...inCluster({ nodes, shard, ca }) }))
  return tolerant(new Redis(url, { ...options, ...(ca && { tls: { ca } }) }))
}

/** Losing the connection is an expected event: `status` shows it and commands fail. Without a listener it would crash. */
function tolerant(redis: Redis): Redis {
  redis.on('error', () => undefined)
  return gatherWrites(redis)
}

/** Whether it is the server's own no: it has heard the command, and is full, say, or does not allow it. Anything else that a command fails
 * with is silence. */
export const isRefusal = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** Resolves with `true` once the connection takes commands, with `false` at the time limit. */
export async function whenReady(redis: Redis, limitMs: number): Promise<boolean> {
  if (redis.status === 'ready') return true
  return new Promise((resolve) => {
    const limit = setTimeout(() => done(false), limitMs)
    const ready = () => done(true)
    const done = (isReady: boolean) => {
      clearTimeout(limit)
      redis.off('ready', ready)
      resolve(isReady)
    }
    redis.once('ready', ready)
  })
}
