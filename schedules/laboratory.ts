import { type Book, openBook } from '@pay/ledger'
import { Redis } from 'ioredis'
import { bookKey } from '../packages/ledger/src/book.ts'
import { defineScripts, type ScriptName, scriptNames, scriptText } from '../packages/ledger/src/scripts.ts'

export type Laboratory = Awaited<ReturnType<typeof openLaboratory>>

export type Texts = Record<ScriptName, string>

export const realTexts = (): Texts => Object.fromEntries(scriptNames.map((name) => [name, scriptText(name)])) as Texts

/** A connection to the one real Redis, with the scripts defined on it once, not once per process and schedule; and what they
 * publish. `name` keeps what several of these do at once apart. */
export async function openLaboratory({
  path,
  name,
  texts = realTexts(),
}: {
  path: string
  name: string
  texts?: Texts
}) {
  const redis = new Redis({ path, maxRetriesPerRequest: 0, enableAutoPipelining: true })
  const subscriber = new Redis({ path })
  defineScripts(redis, texts)
  redis.defineCommand = () => undefined
  const mailboxes = new Map<string, (text: string) => void>()
  const barrier = `reply:${name}`
  const waiting: (() => void)[] = []
  let opened = 0

  subscriber.on('pmessage', (_pattern: string, channel: string, text: string) => {
    if (channel === barrier) waiting.shift()?.()
    else mailboxes.get(channel)?.(text)
  })
  await subscriber.psubscribe(`${barrier}*`)

  return {
    redis,
    texts,
    /** A name that nobody else on this server has: of a shard, and the beginning of names of gateways. */
    freshName: () => {
      opened += 1
      return `${name}-${opened}`
    },
    /** As a process finds it when it starts; the first one begins it. */
    async bookOf(shard: string): Promise<Book> {
      const [identity, fences] = await redis.hmget(bookKey(shard), 'identity', 'fences')
      return identity ? { identity, fences: Number(fences) } : openBook({ redis, check: 'schedules', shard })
    },
    receive: (gateway: string, onMessage: (text: string) => void) => void mailboxes.set(`reply:${gateway}`, onMessage),
    forget: (gateway: string) => void mailboxes.delete(`reply:${gateway}`),
    /** Resolves when everything that was published before has come. */
    published: () =>
      new Promise<void>((resolve, reject) => {
        waiting.push(resolve)
        redis.publish(barrier, '').catch(reject)
      }),
    close: () => {
      redis.disconnect()
      subscriber.disconnect()
    },
  }
}
