import type { Redis } from 'ioredis'

/** For how long the job that is next has waited for a worker, in ms; 0 when none waits. Compared with the clock of the gateway
 * that queued it. Rejects while the queue is away. */
export async function oldestJobMs(redis: Redis, shard = 's0'): Promise<number> {
  // BullMQ puts new jobs at the head of its list and takes from the end.
  const [id] = await redis.lrange(`{${shard}}:payments:wait`, -1, -1)
  const queuedAt = id === undefined ? null : await redis.hget(`{${shard}}:payments:${id}`, 'timestamp')
  // One that was taken and is over by now waits no more.
  return queuedAt === null ? 0 : Math.max(0, Date.now() - Number(queuedAt))
}
