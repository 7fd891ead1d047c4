import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'

const SECOND = 1000

/** How the ledger is spoken to: a command is answered or fails within two seconds, is never sent twice behind our back
 * and never waits in a queue for a server that is away. Whoever asks decides whether to ask again. */
const impatient: RedisOptions = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 2 * SECOND,
  connectTimeout: 2 * SECOND,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), 500),
}

/** A subscription has no command to fail: it comes back by itself, and `createReplyChannel` then reads what it missed. */
const patient: RedisOptions = {
  ...impatient,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  autoResubscribe: true,
}

export type ConnectionOptions = { url: string; caFile?: string | undefined }

export const connectLedger = (options: ConnectionOptions): Redis => connect(options, impatient)

export const connectSubscriber = (options: ConnectionOptions): Redis => connect(options, patient)

function connect({ url, caFile }: ConnectionOptions, options: RedisOptions): Redis {
  const tls: RedisOptions =
    url.startsWith('rediss:') && caFile !== undefined ? { tls: { ca: readFileSync(caFile) } } : {}
  const redis = new Redis(url, { ...options, ...tls })
  // Losing the connection is an expected event: `status` shows it and commands fail; without a listener it would crash.
  redis.on('error', () => undefined)
  return redis
}

/** Resolves once the connection can take commands, or after the time limit with `false`. */
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
