import { randomUUID } from 'node:crypto'
import { freePort } from '../process/free-port.ts'
import { guard } from '../process/guard.ts'
import { outputOf, runTool, showTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { awaitRedis } from './ask.ts'
import { flagsOf } from './flags.ts'
import type { RedisOptions, RunningRedis } from './redis.ts'

export const REDIS_IMAGE = 'redis:8'

const START_LIMIT_MS = 30_000
const COMMAND_LIMIT_MS = 60_000

const docker = (...args: string[]) => runTool('docker', args, { limitMs: COMMAND_LIMIT_MS })

/** Runs Redis in a container, published on loopback only. The container is kept over `kill`, so that `restart` finds its
 * data, and removed with its volume by `stop`. */
export async function startRedisContainer(options: RedisOptions): Promise<RunningRedis> {
  await pullOnce()
  const port = options.port ?? (await freePort())
  const name = `pay-${options.kind}-${randomUUID().slice(0, 8)}`
  const release = guard('container', name)
  const redis = containerHandle({ name, port, options, release })
  try {
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      '--publish',
      `127.0.0.1:${port}:6379`,
      REDIS_IMAGE,
      ...command(options),
    )
    await answering(port)
    return redis
  } catch (error) {
    await redis.stop()
    throw error
  }
}

async function pullOnce(): Promise<void> {
  const here = await outputOf('docker', ['image', 'inspect', REDIS_IMAGE], { limitMs: COMMAND_LIMIT_MS })
  if (here !== undefined) return
  say(`no Redis on this machine: pulling the image ${REDIS_IMAGE}, once ...`)
  await showTool('docker', ['pull', REDIS_IMAGE])
}

/** Inside its container the server listens on every address; only the published port leads there. */
export function command({ kind, appendfsync, args = [] }: RedisOptions): string[] {
  return ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', ...flagsOf(kind, appendfsync), ...args]
}

const answering = (port: number) => awaitRedis({ port, limitMs: START_LIMIT_MS })

type Parts = { name: string; port: number; options: RedisOptions; release: () => void }

function containerHandle({ name, port, options, release }: Parts): RunningRedis {
  return {
    kind: options.kind,
    url: `redis://127.0.0.1:${port}`,
    pid: undefined,
    source: `container ${name} (${REDIS_IMAGE})`,
    pause: async () => void (await docker('pause', name)),
    resume: async () => void (await docker('unpause', name)),
    kill: async () => void (await docker('kill', name)),
    restart: async () => {
      await docker('restart', name)
      await answering(port)
    },
    stop: async () => {
      await outputOf('docker', ['rm', '--force', '--volumes', name], { limitMs: COMMAND_LIMIT_MS })
      release()
    },
  }
}
