import { readFileSync } from 'node:fs'
import { shardNames } from '@pay/ledger'
import {
  connectFailingFast,
  connectShards,
  knownPlace,
  type RedisKind,
  type ShardConnections,
} from '@pay/payment-queue'
import { isLoopback, reach, SECOND } from '@pay/service'
import type { Redis } from 'ioredis'
import type { ClockReading } from './clocks.ts'
import type { Role } from './configuration.ts'
import { dial, placeOfUrl, secure } from './dial.ts'
import { type Finding, isWrong, notChecked, ok, warning, wrong } from './finding.ts'
import { examineNode } from './redis-node.ts'
import type { Settings } from './settings.ts'
import { judgeTls, STAGES } from './way.ts'

/** One of the two Redis servers, by its URL: a server or a cluster. */
export type Examined = {
  findings: Finding[]
  clocks: ClockReading[]
  /** Where it let us in. */
  connections: ShardConnections | undefined
}

export type StoreOptions = {
  kind: RedisKind
  settings: Settings
  /** Whose rights are to be looked at, where the URL's user does not say. */
  roles: readonly Role[]
  /** Called with what is to be closed at the end, before anything can go wrong. */
  onOpened: (close: () => void) => void
}

const VARIABLES = { queue: 'QUEUE_REDIS_URL', ledger: 'LEDGER_REDIS_URL' } as const
const DEFAULT_PORT = 6379
const DIAL_MS = 2 * SECOND
const REACH_MS = 3 * SECOND

/** 1 its names and ports, 2 TLS, 3 does it let us in, 4 what it says of itself, node by node. Ends at the first that is not so; of a
 * cluster's nodes one that is away does not keep the others from being looked at. */
export async function examineStore(options: StoreOptions): Promise<Examined> {
  const { kind, settings } = options
  const url = settings[VARIABLES[kind]]
  if (url === undefined) return found(notChecked(kind, `${VARIABLES[kind]} cannot be used`))
  const { isCluster, nodes } = knownPlace(url)
  const ways = await Promise.all(nodes.map((node) => tryWay(kind, node, settings.CA_FILE)))
  const door = doorOf(kind, nodes)
  if (ways.every((way) => way.some(isWrong))) return found(...door, ...ways.flat())
  const entered = await enter(url, options)
  const examined = await Promise.all(
    nodesOf(entered.reached, isCluster).map(({ address, ...node }) =>
      examineNode({ ...options, ...node, isCluster, called: `${kind}${address}`, roles: rolesOf(nodes[0], options) }),
    ),
  )
  const way = isCluster ? ways.flat().map(milder) : ways.flat()
  return {
    findings: [...door, ...way, ...entered.findings, ...examined.flatMap(({ findings }) => findings)],
    clocks: examined.flatMap(({ clock }) => clock ?? []),
    connections: entered.connections,
  }
}

type Entered = {
  findings: Finding[]
  /** The first of each connection that took us in, by its shard. */
  reached: { redis: Redis; shard: string }[]
  /** All of them, where none is missing. */
  connections: ShardConnections | undefined
}

async function enter(url: string, { kind, settings, onOpened }: StoreOptions): Promise<Entered> {
  const { isCluster, nodes } = knownPlace(url)
  const shards = shardNames(settings.SHARDS)
  const connections = connectShards(connectFailingFast, { url, caFile: settings.CA_FILE, shards })
  const distinct = [...new Set(connections)].map((redis, nth) => ({ redis, shard: shards[nth] ?? 's0' }))
  onOpened(() => {
    for (const { redis } of distinct) redis.disconnect()
  })
  const tried = await Promise.all(
    distinct.map(async (each) => ({ ...each, refusal: await reach(each.redis, REACH_MS) })),
  )
  const refused = tried.flatMap(({ refusal, shard }) => (refusal === undefined ? [] : { refusal, shard }))
  const variable = VARIABLES[kind]
  const findings = refused.map(async ({ refusal, shard }) =>
    wrong(kind, `${variable}: ${isCluster ? `${shard}: ` : ''}${refusal}`, await remedyFor(refusal, nodes)),
  )
  const fine = ok(kind, `${variable} lets us in${userOf(nodes[0])}`)
  return {
    findings: refused.length > 0 ? await Promise.all(findings) : [fine],
    reached: tried.filter(({ refusal }) => refusal === undefined),
    connections: refused.length > 0 ? undefined : connections,
  }
}

const found = (...findings: Finding[]): Examined => ({ findings, clocks: [], connections: undefined })

/** A user that is called like a role has its rights; another one must do for all that was asked. */
function rolesOf({ username }: URL, { roles }: StoreOptions): readonly Role[] {
  return username === 'gateway' || username === 'worker' ? [username] : roles
}

const userOf = ({ username }: URL) => (username === '' ? '' : ` as ${decodeURIComponent(username)}`)

/** Shards on the same node have one connection each; one of them will do. */
function nodesOf(reached: Entered['reached'], isCluster: boolean) {
  const named = reached.map(({ redis, shard }) => {
    const { remoteAddress, remotePort } = redis.stream
    return { redis, shard, address: isCluster ? ` ${remoteAddress}:${remotePort}` : '' }
  })
  return [...new Map(named.toReversed().map((node) => [node.address, node])).values()].toReversed()
}

const milder = (finding: Finding): Finding => (isWrong(finding) ? { ...finding, state: 'warning' } : finding)

function doorOf(kind: RedisKind, nodes: readonly URL[]): Finding[] {
  const isOpen = nodes.some(({ hostname, password }) => password === '' && !isLoopback(hostname))
  const seen = `${VARIABLES[kind]} names no password: whoever reaches this server may do anything there`
  return isOpen ? [warning(kind, seen, 'give it users: npm run redis-users (deploy/redis/README.md)')] : []
}

/** How far one comes without being let in: name, port, TLS and its certificate. */
async function tryWay(kind: RedisKind, node: URL, caFile: string | undefined): Promise<Finding[]> {
  const place = placeOfUrl(node, DEFAULT_PORT)
  const name = `${kind}: way`
  const where = `${node.hostname}:${place.port}`
  const dialled = await dial(place, DIAL_MS)
  if (dialled.kind === 'failed')
    return [wrong(name, `${where}: ${dialled.stage}: ${dialled.reason}`, STAGES[dialled.stage])]
  const { socket, address, ms } = dialled
  const there = ok(name, `${where} (${address}) takes connections, ${ms.toFixed(1)} ms`)
  if (node.protocol !== 'rediss:') {
    socket.destroy()
    return [there]
  }
  const ca = caFile && readFileSync(caFile, 'utf8')
  const handshaken = await secure(socket, { host: place.host, ca, limitMs: DIAL_MS })
  handshaken.kind === 'secure' && handshaken.socket.destroy()
  return [there, ...judgeTls(`${kind}: TLS`, where, handshaken)]
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /WRONGPASS/,
    'give the URL the user and password of that server (FOLDER/<user>/...-redis-url of npm run redis-users)',
  ],
  [/NOAUTH/, 'write rediss://user:password@host: the server has users'],
  [/NOPERM/, 'give that server today’s lists: deploy/redis/README.md'],
  [/DENIED/, 'give it users and switch protected-mode off, or let it listen where we are'],
  [/ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN/, STAGES.port],
  [/NOCLUSTER/, 'write redis:// or rediss:// without +cluster'],
]

async function remedyFor(refusal: string, nodes: readonly [URL, ...URL[]]): Promise<string> {
  const known = REMEDIES.find(([pattern]) => pattern.test(refusal))?.[1]
  if (known) return known
  const isPlain = nodes[0].protocol === 'redis:'
  if (isPlain && (await speaksTls(nodes[0]))) return 'it speaks TLS: write rediss:// for redis://'
  return 'it takes connections and says nothing: is it a Redis, does it hang, is something in between? See its log'
}

async function speaksTls(node: URL): Promise<boolean> {
  const place = placeOfUrl(node, DEFAULT_PORT)
  const dialled = await dial(place, SECOND)
  if (dialled.kind === 'failed') return false
  const handshaken = await secure(dialled.socket, { host: place.host, limitMs: SECOND })
  dialled.socket.destroy()
  return handshaken.kind === 'secure'
}
