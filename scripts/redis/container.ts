import { randomUUID } from 'node:crypto'
import { freePort } from '../process/free-port.ts'
import { guard } from '../process/guard.ts'
import { outputOf, runTool, showTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { awaitRedis } from './ask.ts'
import { flagsOf } from './flags.ts'
import type { RedisOptions, RunningRedis } from './redis.ts'
import { createUsers, type LocalUsers } from './users.ts'

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
  const users = createUsers(options.kind, true)
  const redis = containerHandle({ name, port, options, users, release })
  try {
    await docker(
      'run',
      '--detach',
      '--name',
      name,
      '--publish',
      `127.0.0.1:${port}:6379`,
      REDIS_IMAGE,
      ...command(options, users),
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
export function command({ kind, appendfsync, args = [] }: RedisOptions, users: LocalUsers): string[] {
  const everywhere = ['--bind', '0.0.0.0', '--protected-mode', 'no']
  return ['redis-server', ...everywhere, ...flagsOf(kind, appendfsync), ...users.args, ...args]
}

const answering = (port: number) => awaitRedis({ port, limitMs: START_LIMIT_MS })

/** Run by `sh` in the container, while its server still writes: what was written is not seen any more, and the server that is
 * started next finds the copy. */
export const DISK = {
  copy: (copy: string) => `cp -a /data ${copy}`,
  replace: (copy: string) => `rm -rf /data/* && cp -a ${copy}/. /data`,
  empty: 'rm -rf /data/*',
} as const

type Parts = { name: string; port: number; options: RedisOptions; users: LocalUsers; release: () => void }

function containerHandle({ name, port, options, users, release }: Parts): RunningRedis {
  const url = `redis://127.0.0.1:${port}`
  const restart = async () => {
    await docker('restart', name)
    await answering(port)
  }
  const kill = async () => void (await docker('kill', name))
  const onDisk = (script: string) => docker('exec', name, 'sh', '-c', script)
  const restartAfter = async (script: string) => {
    await onDisk(script)
    await kill()
    await restart()
  }
  return {
    kind: options.kind,
    url,
    urls: users.urlsAt(url),
    pid: undefined,
    source: `container ${name} (${REDIS_IMAGE})`,
    pause: async () => void (await docker('pause', name)),
    resume: async () => void (await docker('unpause', name)),
    kill,
    restart,
    snapshot: async () => {
      const copy = `/copy-${randomUUID()}`
      await onDisk(DISK.copy(copy))
      return () => restartAfter(DISK.replace(copy))
    },
    restartEmpty: () => restartAfter(DISK.empty),
    stop: async () => {
      await outputOf('docker', ['rm', '--force', '--volumes', name], { limitMs: COMMAND_LIMIT_MS })
      release()
    },
  }
}
