import { connect as dial, type Socket as NetSocket, Socket } from 'node:net'
import { connect as dialSecurely, type TLSSocket } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import { DEFAULT_PORT } from './redis-url.ts'

const SECOND = 1000

export type ClusterNodeOptions = {
  /** Where to begin to ask. All are asked as the same user. */
  nodes: readonly [URL, ...URL[]]
  /** Whose node is wanted; any that answers without. */
  shard?: string | undefined
  ca?: Buffer | undefined
}

type Access = Pick<RedisOptions, 'username' | 'password' | 'tls'>
type Found = Access & Pick<RedisOptions, 'Connector' | 'reconnectOnError'>

type Address = { host: string; port: number }

const ASK_LIMIT_MS = 1 * SECOND
const RELOCATE_EVERY_MS = 500

/** For a connection to that node of a Redis Cluster on which a shard lies. All keys of a shard carry its hash tag, so one node has
 * them all, and a plain connection to it does. When it is made, and each time it is made again, some node is asked which one that
 * is. So a shard that has moved looks to everybody like a server that was started anew: the command fails, nothing is sent twice
 * behind our back, the connection is replaced, and what is there now is checked.
 *
 * ioredis' own Cluster instead shares its connections among all slots, repeats commands by itself and, where a node is away, asks
 * others for its keys (docs/decisions/0019-shards.md). */
export function inCluster({ nodes, shard, ca }: ClusterNodeOptions): Found {
  const [{ protocol, username, password }] = nodes
  const tls = protocol === 'rediss:' ? { ...(ca && { ca }) } : undefined
  const access: Access = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(tls && { tls }),
  }
  const seeds = nodes.map(({ hostname, port }) => ({ host: bare(hostname), port: Number(port || DEFAULT_PORT) }))

  class NodeConnector extends AbstractConnector {
    #known: readonly Address[] = seeds

    constructor({ disconnectTimeout = 0 }: RedisOptions) {
      super(disconnectTimeout)
    }

    /** Never rejects: ioredis would give up for good. A socket that is closed already makes it try again. */
    async connect(): Promise<NetSocket | TLSSocket> {
      this.connecting = true
      const address = await this.#locate().catch((error: Error) => {
        this.firstError = error
        return undefined
      })
      // This connection may have been given up meanwhile.
      if (!address || !this.connecting) return new Socket().destroy()
      const stream = tls ? dialSecurely({ ...tls, ...address }) : dial(address)
      stream.once('error', (error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }

    /** Begins with another node each time: one that is cut off from the others answers with what it knew last. */
    async #locate(): Promise<Address> {
      const start = Math.floor(Math.random() * this.#known.length)
      let last: unknown
      for (const asked of [...this.#known.slice(start), ...this.#known.slice(0, start)]) {
        try {
          const { home, all } = await askNode(asked, access, shard)
          this.#known = distinct([...all, ...seeds])
          return home
        } catch (error) {
          last = error
        }
      }
      throw last
    }
  }

  let movedAt = Number.NEGATIVE_INFINITY
  return {
    ...access,
    Connector: NodeConnector as unknown as NonNullable<RedisOptions['Connector']>,
    /** Not more often than this: while the cluster is not sure of itself, every command fails so. `true` replaces the connection
     * and lets the command fail; it is never sent again. */
    reconnectOnError({ message }) {
      if (!/^(MOVED|CLUSTERDOWN) /.test(message) || performance.now() - movedAt < RELOCATE_EVERY_MS) return false
      movedAt = performance.now()
      return true
    },
  }
}

/** On a connection of its own, as ioredis does it: the one that is wanted is not there yet. */
async function askNode(asked: Address, access: Access, shard: string | undefined) {
  const redis = new Redis({
    ...access,
    ...asked,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: ASK_LIMIT_MS,
    commandTimeout: ASK_LIMIT_MS,
    disconnectTimeout: 100,
    retryStrategy: () => null,
    replyMapping: 'legacy',
    disableClientInfo: true,
  })
  let lost: Error | undefined
  redis.on('error', (error) => {
    lost ??= error
  })
  try {
    const ranges: SlotRange[] = await redis.cluster('SLOTS')
    const all = ranges.flatMap(([, , ...served]) => served.map((node) => addressIn(node, asked)))
    if (shard === undefined) return { home: asked, all }
    const slot = await redis.cluster('KEYSLOT', `{${shard}}`)
    const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? []
    if (!master) throw new Error(`no node of the cluster serves ${shard}`)
    return { home: addressIn(master, asked), all }
  } catch (error) {
    throw lost ?? error
  } finally {
    redis.disconnect()
  }
}

type Node = readonly [host: string | null, port: number, ...unknown[]]
/** Of the nodes the first is the master. */
type SlotRange = readonly [from: number, to: number, ...nodes: Node[]]

/** A node that does not know its own name is where it was asked. */
const addressIn = ([host, port]: Node, asked: Address): Address => ({
  host: host === null || host === '' || host === '?' ? asked.host : host,
  port,
})

const distinct = (all: readonly Address[]): Address[] => [
  ...new Map(all.map((address) => [`${address.host} ${address.port}`, address])).values(),
]

/** URLs write an IPv6 address in brackets. */
const bare = (hostname: string) => hostname.replace(/^\[|\]$/g, '')
