import { startRedisContainer } from './container.ts'
import { findRedis } from './find.ts'
import type { Fsync, RedisKind } from './flags.ts'
import { startRedisProcess } from './process.ts'
import type { UserUrls } from './users.ts'

export { findRedis } from './find.ts'
export type { Fsync, RedisKind } from './flags.ts'

export type RedisOptions = {
  kind: RedisKind
  /** A free one by default. */
  port?: number
  /** The ledger's; `always` by default. */
  appendfsync?: Fsync
  /** More arguments for the server, such as `--enable-debug-command local`. */
  args?: readonly string[]
  onLine?: (line: string) => void
}

/** A Redis on loopback that belongs to us. Its data lives in a private place until `stop`, so that what `kill` and
 * `restart` leave behind is what the server had made durable. */
export type RunningRedis = {
  kind: RedisKind
  /** Of somebody who may do everything. */
  url: string
  /** Of the users of deploy/redis, who may do what they must. */
  urls: UserUrls
  /** Of the server, where it is a local process. */
  pid: number | undefined
  /** Where it came from, for people: a path or an image. */
  source: string
  /** Freezes and thaws it: connections stay open, nothing is answered. */
  pause: () => Promise<void>
  resume: () => Promise<void>
  /** Ends it at once, as a crash would. */
  kill: () => Promise<void>
  /** Brings it back on the same port with what is on its disk; ends it first, in order, if it runs. */
  restart: () => Promise<void>
  /** Takes a copy of what is on its disk. The function returned ends the server at once and brings it back with that copy, as a
   * loss of power with unwritten data, or a backup, would. */
  snapshot: () => Promise<() => Promise<void>>
  /** Ends it at once and brings it back with nothing. */
  restartEmpty: () => Promise<void>
  /** Ends it and removes its data. Safe to call twice. */
  stop: () => Promise<void>
}

export type StartRedis = (options: RedisOptions) => Promise<RunningRedis>

/** Starts a Redis of one kind and returns when it answers; looks for one first, and installs it if need be. */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const source = await findRedis()
  return source.from === 'engine' ? startRedisContainer(options) : startRedisProcess(source, options)
}
