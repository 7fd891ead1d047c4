import { shardNames } from '@pay/ledger'
import { isRefusal } from '@pay/payment-queue'
import type { Redis } from 'ioredis'

/** A connection, by the name under which an operator hears of it, and the shard that it is for, where it is for one. Several may
 * share a name. */
export type Watched = readonly [name: string, redis: Redis, shard?: string | undefined]

/** The connections of all shards, each once. */
export function watchShards(name: string, connections: readonly Redis[]): Watched[] {
  const distinct = [...new Set(connections)]
  const shards = shardNames(distinct.length)
  return distinct.map((redis, nth) => [name, redis, distinct.length === 1 ? undefined : shards[nth]])
}

export type HeartbeatOptions = { everyMs: number }

export type Heartbeat = {
  /** The names of the connections whose server has not answered lately, each once; of those with shards when none is left. */
  silent: () => string[]
  /** The shards that have gone silent while others answer: `ledger s1`. */
  partly: () => string[]
  stop: () => void
}

/** So many beats without an answer mean that the path is lost. Beats are counted, not time: a process that was stopped itself
 * finds the answers when it goes on. */
const PATIENCE = 3

/** Asks every connection for a PING each `everyMs`, and replaces the one that does not answer three of them. Without this, a
 * path that is lost without a word is not noticed where nothing is sent: a subscriber would wait for good, and `status` says
 * `ready` all the time. Only for connections without blocking commands. */
export function startHeartbeat(connections: readonly Watched[], { everyMs }: HeartbeatOptions): Heartbeat {
  const pulses = connections.map(([name, redis, shard = '']) => ({ name, shard, ...watch(redis) }))
  const names = [...new Set(connections.map(([name]) => name))]
  const silentShards = (name: string) =>
    new Set(pulses.filter((pulse) => pulse.name === name && !pulse.isAnswering()).map(({ shard }) => shard))
  const allShards = (name: string) => new Set(pulses.filter((pulse) => pulse.name === name).map(({ shard }) => shard))
  const isSilent = (name: string) => silentShards(name).size === allShards(name).size
  const timer = setInterval(() => {
    for (const pulse of pulses) pulse.beat()
  }, everyMs)
  return {
    silent: () => names.filter(isSilent),
    partly: () =>
      names
        .filter((name) => !isSilent(name))
        .flatMap((name) => [...silentShards(name)].map((shard) => `${name} ${shard}`)),
    stop: () => {
      clearInterval(timer)
      for (const pulse of pulses) pulse.forget()
    },
  }
}

function watch(redis: Redis) {
  // A connection becomes ready when its server has answered (ioredis asks for INFO).
  let isAnswering = redis.status === 'ready'
  let quietBeats = 0
  const heard = () => {
    isAnswering = true
    quietBeats = 0
  }
  // A server that refuses (its rights, a script that takes long) is there all the same.
  const refused = (error: Error) => void (isRefusal(error) && heard())
  const opened = () => {
    quietBeats = 0
  }
  const lost = () => {
    isAnswering = false
  }
  redis.on('connect', opened).on('ready', heard).on('close', lost)

  function beat(): void {
    // While there is no connection ioredis is making one, and knows for how long it tries.
    if (redis.status !== 'ready' && redis.status !== 'connect') return
    quietBeats += 1
    if (quietBeats > PATIENCE) giveUpConnection()
    else if (redis.status === 'ready') redis.ping().then(heard, refused)
  }

  function giveUpConnection(): void {
    isAnswering = false
    quietBeats = 0
    redis.disconnect(true)
  }

  const forget = () => void redis.off('connect', opened).off('ready', heard).off('close', lost)
  return { isAnswering: () => isAnswering, beat, forget }
}
