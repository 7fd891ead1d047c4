import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { outputOf } from '../process/run-tool.ts'
import { findRedis } from '../redis/redis.ts'
import { fsyncMs } from './disk.ts'
import { short } from './result.ts'

/** On what a result was measured, in one sentence; `busyBefore` is what else the machine had to do when it began. */
export async function describeMachine(busyBefore: number): Promise<string> {
  const [processor] = cpus()
  const gibibytes = Math.round(totalmem() / 1024 ** 3)
  return `${new Date().toISOString().slice(0, 10)}: ${cpus().length} x ${processor?.model.trim()}, ${gibibytes} GiB, ${type()} ${release()}; Node ${process.versions.node}, ${await redisVersion()}; the ledger's disk takes ${short(await fsyncMs())} ms for an fsync; load average before the run ${busyBefore.toFixed(1)}.`
}

export const busyness = (): number => loadavg()[0] ?? 0

async function redisVersion(): Promise<string> {
  const source = await findRedis()
  if (source.from === 'engine') return 'Redis in a container'
  const [, version = '?'] = /v=([\d.]+)/.exec((await outputOf(source.program, ['--version'], LIMIT)) ?? '') ?? []
  return `Redis ${version}`
}

const LIMIT = { limitMs: 5_000 }
