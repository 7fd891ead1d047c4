import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../process/free-port.ts'
import { allEnded, together } from '../process/together.ts'
import { findRedis } from './find.ts'
import { startRedisProcess } from './process.ts'
import type { RedisKind, RunningRedis } from './redis.ts'
import { createUsers, type UserUrls } from './users.ts'

const SLOTS = 16_384
const NODE_TIMEOUT_MS = 1_000
const FORM_LIMIT_MS = 15_000
const POLL_MS = 50

export type ClusterOptions = { kind: RedisKind; masters?: number; onLine?: (line: string) => void }

/** A Redis Cluster on loopback that belongs to us: masters without replicas, each with its part of the slots. */
export type RunningCluster = {
  kind: RedisKind
  /** Of somebody who may do everything; names all nodes. */
  url: string
  urls: UserUrls
  nodes: readonly RunningRedis[]
  stop: () => Promise<void>
}

/** Whether a cluster can be started here: its nodes must reach each other by the addresses that they tell, which those in containers
 * on loopback do not. */
export const canStartCluster = async (): Promise<boolean> => (await findRedis()).from === 'machine'

/** Starts a cluster and returns when all nodes agree that it is one. */
export async function startCluster({ kind, masters = 3, onLine }: ClusterOptions): Promise<RunningCluster> {
  const source = await findRedis()
  if (source.from === 'engine') throw new Error('a cluster needs a redis-server on this machine')
  // All nodes are asked as the same user.
  const users = createUsers(kind, source.hasWaitaof)
  const start = async (): Promise<Member> => {
    const busPort = await freePort()
    const args = [...CLUSTER, '--cluster-port', String(busPort)]
    const redis = await startRedisProcess(source, { kind, args, ...(onLine && { onLine }) }, users)
    return { busPort, redis, stop: redis.stop }
  }
  const members = await together(Array.from({ length: masters }, start))
  const nodes = members.map(({ redis }) => redis)
  const stop = async () => void (await allEnded(nodes.map((node) => node.stop())))
  try {
    await form(members)
  } catch (error) {
    await stop()
    throw error
  }
  const [first] = nodes as [RunningRedis]
  const { gateway, worker, operator, cashier } = first.urls
  const whole = (url: string) => clusterUrl(url, nodes)
  const urls = { gateway: whole(gateway), worker: whole(worker), operator: whole(operator), cashier: whole(cashier) }
  return { kind, url: whole(first.url), urls, nodes, stop }
}

/** A node that is away takes nothing with it but its own slots. */
const CLUSTER = [
  ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
  ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-require-full-coverage', 'no'],
]

type Member = { redis: RunningRedis; busPort: number; stop: () => Promise<void> }

async function form(members: readonly Member[]): Promise<void> {
  const clients = members.map(({ redis }) => new Redis(redis.url))
  const portOf = ({ redis }: Member) => new URL(redis.url).port
  try {
    await Promise.all(
      clients.map((client, nth) => client.call('CLUSTER', 'ADDSLOTSRANGE', ...part(nth, clients.length))),
    )
    const [first, ...others] = members as [Member, ...Member[]]
    for (const [nth] of others.entries()) {
      await clients[nth + 1]?.call('CLUSTER', 'MEET', '127.0.0.1', portOf(first), String(first.busPort))
    }
    await agreed(clients)
  } finally {
    for (const client of clients) client.disconnect()
  }
}

const part = (nth: number, of: number) => [
  String(Math.floor((nth * SLOTS) / of)),
  String(Math.floor(((nth + 1) * SLOTS) / of) - 1),
]

async function agreed(clients: readonly Redis[]): Promise<void> {
  const deadline = Date.now() + FORM_LIMIT_MS
  const whole = [`cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${clients.length}`, 'cluster_state:ok']
  while (Date.now() < deadline) {
    const told = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')))
    if (told.every((text) => whole.every((line) => String(text).includes(line)))) return
    await sleep(POLL_MS)
  }
  throw new Error(`the cluster is not whole after ${FORM_LIMIT_MS / 1_000} s`)
}

function clusterUrl(text: string, nodes: readonly RunningRedis[]): string {
  const { protocol, username, password } = new URL(text)
  const access = username === '' ? '' : `${username}:${password}@`
  const hosts = nodes.map(({ url }) => new URL(url).host).join(',')
  return `${protocol.replace(':', '+cluster:')}//${access}${hosts}`
}
