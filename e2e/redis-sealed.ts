import { Redis } from 'ioredis'
import type { Payer } from './matrix-payer.ts'

type Named = Pick<Payer, 'record'>

/** The sealed payments on the queue, by whose they are. */
export function openSealed(url: string) {
  const redis = new Redis(url)

  /** Of the present attempt; undefined where there is no record of it. */
  async function nameOf({ record }: Named): Promise<string | undefined> {
    const found = await record()
    const [shard, key] = found?.key.split(':payment:') ?? []
    return found && `${shard}:sealed:${key}.${found.attempt}`
  }

  return {
    of: async (payer: Named): Promise<string | undefined> => {
      const name = await nameOf(payer)
      return (name && (await redis.get(name))) ?? undefined
    },
    /** Puts something else in its place. */
    replace: async (payer: Named, text: string): Promise<void> => {
      const name = await nameOf(payer)
      if (name) await redis.set(name, text, 'KEEPTTL')
    },
    remove: async (payer: Named): Promise<void> => {
      const name = await nameOf(payer)
      if (name) await redis.del(name)
    },
    close: () => redis.disconnect(),
  }
}
