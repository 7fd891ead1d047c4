import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '../process/child.ts'
import { freePort } from '../process/free-port.ts'
import { guard } from '../process/guard.ts'
import { awaitRedis } from './ask.ts'
import { flagsOf } from './flags.ts'
import type { RedisOptions, RunningRedis } from './redis.ts'

const START_LIMIT_MS = 10_000
const STOP_GRACE_MS = 5_000
const ATTEMPTS = 3

/** Runs redis-server (or valkey-server) as a child process with a private folder. A port that somebody took between
 * looking and listening is given up for another, unless the caller named it. */
export async function startRedisProcess(program: string, options: RedisOptions): Promise<RunningRedis> {
  const folder = await mkdtemp(join(tmpdir(), `pay-${options.kind}-`))
  const release = guard('folder', folder)
  const discard = async () => {
    await rm(folder, { recursive: true, force: true })
    release()
  }
  try {
    const { child, port } = await launchSomewhere({ program, folder, options })
    return runningRedis({ program, folder, options, child, port, discard })
  } catch (error) {
    await discard()
    throw error
  }
}

type Launch = { program: string; folder: string; options: RedisOptions }

async function launchSomewhere(how: Launch): Promise<{ child: Child; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = how.options.port ?? (await freePort())
    try {
      return { child: await launch(how, port), port }
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('in use')
      if (!taken || how.options.port !== undefined || attempt === ATTEMPTS) throw error
    }
  }
}

async function launch({ program, folder, options }: Launch, port: number): Promise<Child> {
  const place = ['--bind', '127.0.0.1', '--protected-mode', 'yes', '--port', String(port), '--dir', folder]
  const args = [...place, ...flagsOf(options.kind, options.appendfsync), ...(options.args ?? [])]
  const name = `${options.kind} Redis`
  const child = await startChild({ name, program, args, env: {}, ...(options.onLine && { onLine: options.onLine }) })
  const failure = () => (child.isRunning() ? undefined : `it ended at once:\n${child.lastLines()}`)
  try {
    await awaitRedis({ port, pid: child.pid, limitMs: START_LIMIT_MS, failure })
    return child
  } catch (error) {
    await child.stop(0)
    throw new Error(`the ${name} (${program}) did not start: ${(error as Error).message}`, { cause: error })
  }
}

type Parts = Launch & { child: Child; port: number; discard: () => Promise<void> }

function runningRedis({ child: first, port, discard, ...how }: Parts): RunningRedis {
  let child = first
  return {
    kind: how.options.kind,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid
    },
    source: how.program,
    pause: async () => child.kill('SIGSTOP'),
    resume: async () => child.kill('SIGCONT'),
    kill: async () => void (await child.stop(0)),
    restart: async () => {
      await child.stop(STOP_GRACE_MS)
      child = await launch(how, port)
    },
    stop: async () => {
      await child.stop(STOP_GRACE_MS)
      await discard()
    },
  }
}
