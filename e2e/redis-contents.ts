import { Redis } from 'ioredis'

type Read = (redis: Redis, key: string) => Promise<unknown>

/** By type and not by DUMP, whose compression would hide what is looked for. */
const readers: Readonly<Record<string, Read>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, 0, '-1'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
}

/** Every key of a Redis with its value, as text. */
export async function everythingIn(url: string): Promise<string[]> {
  const redis = new Redis(url)
  const keys = await redis.keys('*')
  const texts = await Promise.all(keys.map(async (key) => `${key} ${await textOf(redis, key)}`))
  redis.disconnect()
  return texts
}

async function textOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key)
  const read = readers[type]
  // It may be gone by now; a type that nobody knows here must not pass for empty.
  if (type === 'none') return ''
  if (!read) throw new Error(`no reader for a ${type}`)
  return JSON.stringify(await read(redis, key))
}
