import { Redis } from 'ioredis'
import type { RunningRedis } from '../scripts/redis/redis.ts'
import { until } from './matrix-payer.ts'

/** Makes a server what a replica of another is that stopped following it at this moment, and was promoted. Servers in containers of
 * their own may not reach each other: there its data is carried over. */
export async function becomeStaleReplica(replica: RunningRedis, master: RunningRedis): Promise<void> {
  const [to, from] = [new Redis(replica.url), new Redis(master.url)]
  const canFollow = replica.pid !== undefined && master.pid !== undefined
  await (canFollow ? follow(to, master) : carryOver(from, to))
  for (const redis of [to, from]) redis.disconnect()
}

async function follow(replica: Redis, { url }: RunningRedis): Promise<void> {
  const { hostname, port } = new URL(url)
  await replica.replicaof(hostname, Number(port))
  await until(async () => (await replica.info('replication')).includes('master_link_status:up'), 10_000, 20)
  await replica.replicaof('NO', 'ONE')
}

async function carryOver(from: Redis, to: Redis): Promise<void> {
  for (const key of await from.keys('*')) {
    const [value, ttl] = [await from.dumpBuffer(key), await from.pttl(key)]
    if (value) await to.restore(key, Math.max(0, ttl), value, 'REPLACE')
  }
}
