import { freshKey, freshSealKey } from '../keys/fresh-key.ts'
import { freePort } from '../process/free-port.ts'
import { together } from '../process/together.ts'
import { type RedisKind, type RunningRedis, type StartRedis, startRedis } from '../redis/redis.ts'
import { NODE_ARGS } from '../stack/node-args.ts'
import type { Environment } from '../stack/service.ts'
import { type Client, createClient } from './client.ts'
import { createRedisMeter, type RedisMeter } from './redis-meter.ts'
import { type Server, startServer } from './server.ts'

export type ContenderName = 'direct' | 'plain' | 'ours'

/** Whose CPU time, memory and traffic is told apart. */
export type Kind = 'gateway' | 'worker' | 'queue Redis' | 'ledger Redis'

/** One way to make payments: real processes on real Redis servers of their own. */
export type Contender = {
  name: ContenderName
  client: Client
  gateways: Member[]
  workers: Member[]
  redises: MeasuredRedis[]
  stop: () => Promise<void>
}

/** `opsUrl`: the root of `/metrics`; only ours have one. */
export type Member = Server & { opsUrl?: string }

export type MeasuredRedis = { kind: Kind; redis: RunningRedis; meter: RedisMeter }

export type ContenderOptions = {
  payconexUrl: string
  gateways?: number | undefined
  workers?: number | undefined
  /** Of each worker; 100 is what ours has by default. */
  concurrency?: number | undefined
  /** Of ours; 1 by default. */
  shards?: number | undefined
  /** For Node, by kind: where a profile goes, say. */
  nodeArgs?: { gateway: readonly string[]; worker: readonly string[] } | undefined
  /** Of gateway and worker each; what V8 takes of the machine by default. */
  heapMebibytes?: number | undefined
  startRedis?: StartRedis | undefined
}

type App = 'gateway' | 'worker'

/** How a contender is put together from its servers. */
type Plan = {
  redis: readonly RedisKind[]
  /** What all its processes are told, and where each kind of them finds the servers, as the user that it is there. */
  env: () => Environment
  urls: (app: App, redises: readonly RunningRedis[]) => Environment
  gateway: Launch
  worker?: Launch
}

type Launch = (env: Environment, nodeArgs?: readonly string[]) => Promise<Member>

const launch =
  (name: string): Launch =>
  (env, nodeArgs = []) =>
    startServer({ name, file: `scripts/bench/contenders/${name}.ts`, env, nodeArgs })

/** Ours is asked on its operators' port whether it is ready, and says there how it does. */
const launchOurs =
  (app: App): Launch =>
  async (env, nodeArgs = []) => {
    const port = await freePort()
    const own = { ...env, PORT: String(port) }
    const file = `apps/${app}/src/main.ts`
    const how = {
      name: app,
      file,
      nodeArgs: [...NODE_ARGS, ...nodeArgs],
      portVariable: 'OPS_PORT',
      readyPath: '/readyz',
    }
    const server = await startServer({ ...how, env: own })
    return { ...server, url: `http://127.0.0.1:${port}`, opsUrl: server.url }
  }

/** `direct` has no queue, `plain` is the textbook, `ours` is what ships, with everything on: sealed, fenced with fsync, ids
 * reserved, logs written. */
const PLANS: Record<ContenderName, Plan> = {
  direct: { redis: [], env: () => ({}), urls: () => ({}), gateway: launch('direct') },
  plain: {
    redis: ['queue'],
    env: () => ({}),
    urls: (_app, [queue]) => ({ QUEUE_REDIS_URL: queue?.url ?? '' }),
    gateway: launch('plain-gateway'),
    worker: launch('plain-worker'),
  },
  ours: {
    redis: ['queue', 'ledger'],
    env: () => ({ HOST: '127.0.0.1', SEAL_KEYS: freshSealKey('k1'), LEDGER_KEY: freshKey() }),
    urls: (app, [queue, ledger]) => ({
      QUEUE_REDIS_URL: queue?.urls[app] ?? '',
      LEDGER_REDIS_URL: ledger?.urls[app] ?? '',
    }),
    gateway: launchOurs('gateway'),
    worker: launchOurs('worker'),
  },
}

export const contenderNames = Object.keys(PLANS) as ContenderName[]

/** Starts one; what did start is stopped when something else does not. */
export async function startContender(name: ContenderName, options: ContenderOptions): Promise<Contender> {
  const { payconexUrl, gateways = 1, workers = 1, concurrency = 100, shards = 1, nodeArgs, heapMebibytes } = options
  const plan = PLANS[name]
  const start = options.startRedis ?? startRedis
  const redises = await together(plan.redis.map((kind) => start({ kind })))
  const stopRedises = () => Promise.all(redises.map((redis) => redis.stop()))
  const env = {
    PAYCONEX_URL: payconexUrl,
    WORKER_CONCURRENCY: String(concurrency),
    SHARDS: String(shards),
    // Strictly, ours start with nothing that writes down what has run.
    ...(nodeArgs && { MODE: 'relaxed' }),
    ...plan.env(),
  }
  const launchEach = (app: App, count: number, launchOne: Launch) => {
    const own = { ...env, ...plan.urls(app, redises) }
    const heap = heapMebibytes === undefined ? [] : [`--max-old-space-size=${heapMebibytes}`]
    return Array.from({ length: count }, () => launchOne(own, [...heap, ...(nodeArgs?.[app] ?? [])]))
  }
  try {
    const members = await together([
      ...launchEach('gateway', gateways, plan.gateway),
      ...(plan.worker ? launchEach('worker', workers, plan.worker) : []),
    ])
    return assemble(name, { gateways: members.slice(0, gateways), workers: members.slice(gateways), redises })
  } catch (error) {
    await stopRedises()
    throw error
  }
}

type Parts = { gateways: Member[]; workers: Member[]; redises: RunningRedis[] }

function assemble(name: ContenderName, { gateways, workers, redises }: Parts): Contender {
  const client = createClient(gateways.map(({ url }) => url))
  const measured = redises.map((redis) => ({
    kind: `${redis.kind} Redis` as const,
    redis,
    meter: createRedisMeter(redis),
  }))
  const stop = async () => {
    await client.close()
    await Promise.all(gateways.map((gateway) => gateway.stop(GRACE_MS)))
    await Promise.all(workers.map((worker) => worker.stop(GRACE_MS)))
    for (const { meter } of measured) meter.close()
    await Promise.all(redises.map((redis) => redis.stop()))
  }
  return { name, client, gateways, workers, redises: measured, stop }
}

const GRACE_MS = 5_000
