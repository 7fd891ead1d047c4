import type { RedisKind } from './flags.ts'
import type { RunningRedis } from './redis.ts'
import { sameForAll } from './users.ts'

/** A Redis that somebody else runs: used as it is, never stopped, paused or restarted by us. */
export function givenRedis(kind: RedisKind, url: string): RunningRedis {
  const refuse = async () => {
    throw new Error(`the ${kind} Redis was given by its URL and is not ours to interrupt`)
  }
  const ends = { kill: refuse, restart: refuse, snapshot: refuse, restartEmpty: refuse }
  const interruptions = { pause: refuse, resume: refuse, ...ends }
  return {
    kind,
    url,
    urls: sameForAll(url),
    pid: undefined,
    source: 'given',
    ...interruptions,
    stop: async () => undefined,
  }
}
