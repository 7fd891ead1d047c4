import {
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  missingRights,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  type RedisKind,
  type RequiredSetting,
  wrongCluster,
  wrongReplication,
  wrongSettings,
} from '@pay/payment-queue'
import { SECOND } from '@pay/service'
import type { Redis } from 'ioredis'
import { type ClockReading, readingOf } from './clocks.ts'
import type { Role } from './configuration.ts'
import { excessOf } from './excess.ts'
import { type Finding, notChecked, ok, warning, wrong } from './finding.ts'
import { infoOf, judgeClients, judgeDisk, judgeLatency, judgeMemory, judgeReplicas, median } from './redis-health.ts'
import { judgeVersion } from './redis-version.ts'
import type { Settings } from './settings.ts'
import { look } from './within.ts'

/** A server, or a node of a cluster, that has let us in. */
export type Node = {
  kind: RedisKind
  /** How an operator knows it: `queue`, or `queue 10.0.0.1:6379`. */
  called: string
  redis: Redis
  /** One that lies there. */
  shard: string
  isCluster: boolean
  settings: Settings
  /** Whose work our user there is to do. */
  roles: readonly Role[]
}

const LOOK_MS = 3 * SECOND

/** Everything about one server that it can say itself. Nothing stays behind there. */
export async function examineNode(node: Node): Promise<{ findings: Finding[]; clock: ClockReading | undefined }> {
  const { called } = node
  // First and by itself, so that its answer waits for nothing of ours.
  let clock: ClockReading | undefined
  const late = await look('clocks', LOOK_MS, async () => {
    clock = await askTime(node)
    return []
  })
  const found = await Promise.all([
    look(`${called}: state`, LOOK_MS, () => askInfo(node)),
    look(`${called}: settings`, LOOK_MS, () => askSettings(node)),
    look(`${called}: rights`, LOOK_MS, () => askRights(node)),
  ])
  // By itself, too.
  const latency = await look(`${called}: latency`, LOOK_MS, () => measure(node))
  return { findings: [...late, ...found.flat(), ...latency], clock }
}

async function askInfo({ called, kind, redis, isCluster, settings }: Node): Promise<Finding[]> {
  const info = infoOf(await redis.info())
  const acknowledge = kind === 'ledger' ? settings.LEDGER_REPLICAS_ACK : 0
  return [
    judgeVersion(`${called}: version`, info, { isCluster, waitaof: acknowledge > 0 }),
    ...judgeReplicas(`${called}: replicas`, info, acknowledge),
    judgeMemory(`${called}: memory`, info),
    ...judgeDisk(`${called}: disk`, kind, info),
    ...judgeClients(`${called}: connections`, info),
  ]
}

const REQUIRED = {
  queue: { settings: QUEUE_SETTINGS, alone: QUEUE_ALONE },
  ledger: { settings: LEDGER_SETTINGS, alone: LEDGER_ALONE },
} as const

async function askSettings(node: Node): Promise<Finding[]> {
  const { called, kind, redis, isCluster, settings } = node
  const name = `${called}: settings`
  const cluster = await wrongCluster(redis, isCluster)
  const refused = cluster.map((problem) => wrong(name, problem, 'write the scheme with +cluster, and set SHARDS'))
  if (settings.REDIS_CHECKED_BY_HAND) {
    return [...refused, notChecked(name, 'REDIS_CHECKED_BY_HAND=true: you looked')]
  }
  const acknowledged = kind === 'ledger' ? settings.LEDGER_REPLICAS_ACK : 0
  const { settings: required, alone } = REQUIRED[kind]
  const problems = [
    ...(await wrongSettings(redis, required)).map((problem) => [problem, remedyForSetting(problem, required)] as const),
    ...(await wrongReplication(redis, alone, acknowledged)).map(
      (problem) => [problem, remedyForCopy(problem)] as const,
    ),
  ]
  const judge = settings.MODE === 'strict' ? wrong : warning
  const found = problems.map(([problem, remedy]) => judge(name, problem, remedy))
  const fine = ok(name, `${required.map(({ setting, is }) => `${setting}=${is || '""'}`).join(' ')}, no copies`)
  const coverage = isCluster ? await askCoverage(node) : []
  return [...refused, ...(found.length + refused.length > 0 ? found : [fine]), ...coverage]
}

/** Not refused, because nothing that it does is wrong: it does nothing. */
async function askCoverage({ called, redis }: Node): Promise<Finding[]> {
  const [, value] = (await redis.config('GET', 'cluster-require-full-coverage')) as string[]
  const seen = 'cluster-require-full-coverage is "yes": one node that is away stops all shards'
  return value === 'yes' ? [warning(`${called}: settings`, seen, 'CONFIG SET cluster-require-full-coverage no')] : []
}

function remedyForSetting(problem: string, required: readonly RequiredSetting[]): string {
  const named = required.find(({ setting }) => problem.startsWith(`${setting} `))
  if (!named || problem.includes('cannot be read'))
    return 'let our user read it (deploy/redis), or look and set REDIS_CHECKED_BY_HAND=true'
  const { setting, is } = named
  return `CONFIG SET ${setting} ${is || '""'}, and \`${setting} ${is || '""'}\` in its file, or it comes back with a restart`
}

const remedyForCopy = (problem: string) =>
  problem.startsWith('WAITAOF')
    ? 'update it, or do without replicas and LEDGER_REPLICAS_ACK'
    : 'name the master and let nothing copy it; for a ledger with replicas set LEDGER_REPLICAS_ACK'

async function askRights({ called, kind, redis, shard, settings, roles }: Node): Promise<Finding[]> {
  const name = `${called}: rights`
  const waitaof = kind === 'ledger' && settings.LEDGER_REPLICAS_ACK > 0
  const judge = settings.MODE === 'strict' ? wrong : warning
  const found = await Promise.all(
    roles.map(async (role) => {
      const lacking = await missingRights(redis, kind, { role, waitaof, shard })
      const excess = await excessOf(redis, kind, { role, shard })
      const lacks = lacking.map((problem) => judge(name, `as a ${role}: ${problem}`, REMEDY_RIGHTS))
      const tooMuch = warning(name, `beyond the work of a ${role} it may: ${excess.join('; ')}`, REMEDY_RIGHTS)
      return [...lacks, ...(excess.length > 0 ? [tooMuch] : [])]
    }),
  )
  const all = found.flat()
  return all.length > 0 ? all : [ok(name, `what a ${roles.join(' or a ')} needs, and no more that we know of`)]
}

const REMEDY_RIGHTS = 'npm run redis-users makes users with exactly the rights they need (deploy/redis/README.md)'

async function askTime({ called, redis }: Node): Promise<ClockReading> {
  const asked = Date.now()
  const [seconds, micros] = await redis.time()
  return readingOf(called, Number(seconds) * SECOND + Number(micros) / SECOND, [asked, Date.now()])
}

const PINGS = 50
const WRITES = 11
const MEASURE_MS = 1 * SECOND

async function measure({ called, kind, redis, shard }: Node): Promise<Finding[]> {
  const pingMs = await medianOf(PINGS, () => redis.ping())
  const write = () => redis.eval(LEAVES_NOTHING, 1, `{${shard}}:payment:rights`)
  const writeMs = kind === 'ledger' ? await medianOf(WRITES, write).catch(() => undefined) : undefined
  const [, fsync] = (await redis.config('GET', 'appendfsync').catch(() => [])) as string[]
  return judgeLatency(`${called}: latency`, { pingMs, writeMs, isFlushed: fsync === 'always' })
}

/** Both are one entry of the append-only file, which is flushed before the answer leaves. No payment has such a key. */
const LEAVES_NOTHING = `redis.call('HSET', KEYS[1], 's', ''); return redis.call('DEL', KEYS[1])`

async function medianOf(times: number, ask: () => Promise<unknown>): Promise<number> {
  const until = performance.now() + MEASURE_MS
  const taken: number[] = []
  while (taken.length < times && (taken.length === 0 || performance.now() < until)) {
    const asked = performance.now()
    await ask()
    taken.push(performance.now() - asked)
  }
  return median(taken)
}
