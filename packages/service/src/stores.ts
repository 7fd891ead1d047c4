import { shardNames } from '@pay/ledger'
import {
  connectFailingFast,
  connectShards,
  knownPlace,
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  missingRights,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  type RedisKind,
  type RequiredSetting,
  type Role,
  type ShardConnections,
  wrongCluster,
  wrongReplication,
  wrongSettings,
  wrongVersion,
} from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import { ConfigurationError } from './environment.ts'
import { isLoopback } from './hosts.ts'
import type { Log } from './log.ts'
import { reach, refusalIn } from './reach.ts'
import { refuseOrWarn } from './refuse-or-warn.ts'
import type { SharedEnvironment } from './shared-variables.ts'
import { SECOND } from './times.ts'

/** The two Redis servers, connected and checked: by shard, which in a cluster lie on several. */
export type Stores = {
  queue: ShardConnections
  ledger: ShardConnections
  /** As they are now, of all servers of one kind; undefined where that is not to be asked. Rejects while one is away. */
  wrongSettings: (kind: RedisKind) => Promise<string[] | undefined>
  close: () => Promise<void>
}

const START_LIMIT_MS = 15 * SECOND

export type StoresOptions = {
  /** Whose rights are looked at, so that one that is missing is named now and not found out by a payment. */
  role?: Role
  startLimitMs?: number
}

/** Connects to both servers, in a cluster to each node that has a shard, and refuses to go on when one cannot be reached, or is so old, set up or replicated that it would
 * break the promise, or gives us too few rights (all but the first in MODE=strict; relaxed warns). All of it is looked at again
 * whenever a connection comes back, because another server may have taken the place of the first: then the process stops by
 * itself, through `onWrong`. */
export async function openStores(
  env: SharedEnvironment,
  log: Log,
  onWrong: (error: ConfigurationError) => void,
  { role, startLimitMs = START_LIMIT_MS }: StoresOptions = {},
): Promise<Stores> {
  const shards = shardNames(env.SHARDS)
  const connect = (url: string) => connectShards(connectFailingFast, { url, caFile: env.CA_FILE, shards })
  const queue = connect(env.QUEUE_REDIS_URL)
  const ledger = connect(env.LEDGER_REDIS_URL)
  const isCluster = (name: Name) => knownPlace(env[name]).isCluster
  const servers: readonly Server[] = [
    ...serversOf(queue, {
      name: 'QUEUE_REDIS_URL',
      kind: 'queue',
      settings: QUEUE_SETTINGS,
      alone: QUEUE_ALONE,
      acknowledged: 0,
    }),
    ...serversOf(ledger, {
      name: 'LEDGER_REDIS_URL',
      kind: 'ledger',
      settings: LEDGER_SETTINGS,
      alone: LEDGER_ALONE,
      acknowledged: env.LEDGER_REPLICAS_ACK,
    }),
  ]
  const close = async () => void (await Promise.allSettled(servers.map(({ redis }) => quit(redis))))
  try {
    const away = await ofAll(absence)
    if (away.length > 0) throw new ConfigurationError(away)
    judge(await ofAll(check))
    for (const name of ['QUEUE_REDIS_URL', 'LEDGER_REDIS_URL'] as const) warnOfOpenDoor(name)
    await warnOfWholeness()
  } catch (error) {
    await close()
    throw error
  }
  // A connection that breaks again during the check says nothing; the next one is checked anew.
  const checkAgain = (server: Server) =>
    void check(server)
      .then(judge)
      .catch((error) => error instanceof ConfigurationError && onWrong(error))
  for (const server of servers) {
    server.redis.on('ready', () => checkAgain(server))
    sayOnceWhyRefused(server)
  }
  return { queue, ledger, wrongSettings: wrongSettingsOf, close }

  async function wrongSettingsOf(wanted: RedisKind): Promise<string[] | undefined> {
    if (env.REDIS_CHECKED_BY_HAND) return undefined
    const meant = servers.filter(({ kind }) => kind === wanted)
    return (await Promise.all(meant.map(({ redis, settings }) => wrongSettings(redis, settings)))).flat()
  }

  async function ofAll(look: (server: Server) => Promise<string[]>): Promise<string[]> {
    // Shards that lie on the same node have the same to say.
    return [...new Set((await Promise.all(servers.map(look))).flat())]
  }

  function judge(problems: readonly string[]): void {
    refuseOrWarn(problems, env, log)
  }

  async function absence({ name, redis, shard }: Server): Promise<string[]> {
    const why = await reach(redis, startLimitMs)
    return why === undefined ? [] : [`${name}: ${isCluster(name) ? `${shard}: ` : ''}${why}`]
  }

  async function check({ name, kind, redis, shard, settings, alone, acknowledged }: Server): Promise<string[]> {
    const byHand = env.REDIS_CHECKED_BY_HAND
    const problems = await Promise.all([
      wrongVersion(redis),
      byHand ? [] : wrongSettings(redis, settings),
      byHand ? [] : wrongReplication(redis, alone, acknowledged),
      wrongCluster(redis, isCluster(name)),
      role ? missingRights(redis, kind, { role, waitaof: acknowledged > 0, shard }) : [],
    ])
    const { remoteAddress, remotePort } = redis.stream
    const where = isCluster(name) ? `${name} (${remoteAddress}:${remotePort})` : name
    return problems.flat().map((problem) => `${where}: ${problem}`)
  }

  /** Not refused, because nothing that it does is wrong: it does nothing. */
  async function warnOfWholeness(): Promise<void> {
    for (const { name, redis } of servers) {
      if (!isCluster(name) || !(await isWholeOrNothing(redis))) continue
      const setting = `${name}: cluster-require-full-coverage should be "no": with "yes" one node that is away stops all shards`
      return log.warn({ event: 'redis.all_or_nothing', setting }, 'a cluster stops as a whole')
    }
  }

  /** A password or a certificate that was changed: it is tried again and again, and said once. */
  function sayOnceWhyRefused({ name, redis }: Server): void {
    let said: string | undefined
    const say = (refusal: string | undefined) => {
      if (refusal !== undefined && refusal !== said)
        log.warn({ event: 'redis.refuses', setting: `${name}: ${refusal}` }, 'a Redis refuses us')
      said = refusal ?? said
    }
    redis.on('error', (error) => say(refusalIn(error)))
    redis.on('ready', () => {
      said = undefined
    })
  }

  /** Not refused, because something else may keep strangers away. */
  function warnOfOpenDoor(name: Name): void {
    const { nodes } = knownPlace(env[name])
    const setting = `${name}: names no password: whoever reaches this server may do anything there (deploy/redis)`
    const isOpen = nodes.some(({ hostname, password }) => password === '' && !isLoopback(hostname))
    if (isOpen) log.warn({ event: 'redis.open', setting }, 'a Redis is open to its network')
  }
}

type Name = 'QUEUE_REDIS_URL' | 'LEDGER_REDIS_URL'

/** One of the two, or a node of it with one of its shards, and what it must be: its settings, and why no other server may copy it
 * unless so many acknowledge. */
type Server = {
  name: Name
  kind: RedisKind
  redis: Redis
  shard: string
  settings: readonly RequiredSetting[]
  alone: string
  acknowledged: number
}

function serversOf(connections: ShardConnections, rest: Omit<Server, 'redis' | 'shard'>): Server[] {
  const shards = shardNames(connections.length)
  return [...new Set(connections)].map((redis, nth) => ({ ...rest, redis, shard: shards[nth] ?? 's0' }))
}

async function isWholeOrNothing(redis: Redis): Promise<boolean> {
  const answer = await redis.config('GET', 'cluster-require-full-coverage').catch(() => undefined)
  return Array.isArray(answer) && answer[1] === 'yes'
}

/** Says goodbye where somebody listens, hangs up where nobody does. */
async function quit(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return redis.disconnect()
  await redis.quit().catch(() => redis.disconnect())
}
