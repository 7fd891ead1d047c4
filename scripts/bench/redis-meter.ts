import { Redis } from 'ioredis'
import type { RunningRedis } from '../redis/redis.ts'

/** What a Redis has done so far. `commands` counts as INFO does: also those that a script calls. */
export type RedisCounts = {
  commands: number
  scripts: number
  bytesIn: number
  bytesOut: number
  cpuMicroseconds: number
}

export type RedisMeter = {
  read: () => Promise<RedisCounts>
  residentBytes: () => Promise<number>
  usedBytes: () => Promise<number>
  client: Redis
  close: () => void
}

/** Reads a server's own books. Its CPU time is the operating system's, too (getrusage), in microseconds. */
export function createRedisMeter({ url }: RunningRedis): RedisMeter {
  const client = new Redis(url)
  client.on('error', () => undefined)
  // What we ask is counted like everything else: what the answers weighed is taken off again.
  let ownBytes = 0

  const info = async (...sections: string[]) => {
    const text = await client.info(...(sections as [string]))
    ownBytes += Buffer.byteLength(text)
    return text
  }

  return {
    async read() {
      const before = ownBytes
      const text = await info('stats', 'commandstats', 'cpu')
      const value = (name: string) => numberOf(text, name)
      const microseconds = (name: string) => Math.round(value(name) * 1_000_000)
      return {
        commands: value('total_commands_processed'),
        scripts: callsOf(text, 'evalsha') + callsOf(text, 'eval'),
        bytesIn: value('total_net_input_bytes'),
        bytesOut: value('total_net_output_bytes') - before,
        cpuMicroseconds: CPU_TIMES.reduce((sum, name) => sum + microseconds(name), 0),
      }
    },
    residentBytes: async () => numberOf(await info('memory'), 'used_memory_rss'),
    usedBytes: async () => numberOf(await info('memory'), 'used_memory'),
    client,
    close: () => client.disconnect(),
  }
}

/** The children rewrite the append-only file; what that costs counts. */
const CPU_TIMES = ['used_cpu_user', 'used_cpu_sys', 'used_cpu_user_children', 'used_cpu_sys_children']

const numberOf = (info: string, name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0)

const callsOf = (info: string, command: string) =>
  Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0)
