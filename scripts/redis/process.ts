import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '../process/child.ts'
import { onPort } from '../process/free-port.ts'
import { guard } from '../process/guard.ts'
import { awaitRedis } from './ask.ts'
import { createDisk, type Disk } from './disk.ts'
import type { LocalRedis } from './find.ts'
import { flagsOf } from './flags.ts'
import type { RedisOptions, RunningRedis } from './redis.ts'
import { createUsers, type LocalUsers } from './users.ts'

const START_LIMIT_MS = 10_000
const STOP_GRACE_MS = 5_000

/** Runs redis-server (or valkey-server) as a child process with a private folder. Its users have fresh passwords, unless some
 * are given. */
export async function startRedisProcess(
  { program, hasWaitaof }: LocalRedis,
  options: RedisOptions,
  users: LocalUsers = createUsers(options.kind, hasWaitaof),
): Promise<RunningRedis> {
  const folder = await mkdtemp(join(tmpdir(), `pay-${options.kind}-`))
  const release = guard('folder', folder)
  const discard = async () => {
    await rm(folder, { recursive: true, force: true })
    release()
  }
  try {
    const disk = await createDisk(folder)
    const how = { program, disk, options, users }
    const { child, port } = await launchSomewhere(how)
    return runningRedis({ ...how, child, port, discard })
  } catch (error) {
    await discard()
    throw error
  }
}

type Launch = { program: string; disk: Disk; options: RedisOptions; users: LocalUsers }

const launchSomewhere = (how: Launch) =>
  onPort(how.options.port, async (port) => ({ child: await launch(how, port), port }))

async function launch({ program, disk, options, users }: Launch, port: number): Promise<Child> {
  const place = ['--bind', '127.0.0.1', '--protected-mode', 'yes', '--port', String(port), '--dir', disk.path]
  const args = [...place, ...flagsOf(options.kind, options.appendfsync), ...users.args, ...(options.args ?? [])]
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
  const launchAgain = async () => {
    child = await launch(how, port)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  const restartWith = async (copy?: string) => {
    await kill()
    await how.disk.replace(copy)
    await launchAgain()
  }
  const url = `redis://127.0.0.1:${port}`
  return {
    kind: how.options.kind,
    url,
    urls: how.users.urlsAt(url),
    get pid() {
      return child.pid
    },
    source: how.program,
    pause: async () => child.kill('SIGSTOP'),
    resume: async () => child.kill('SIGCONT'),
    kill,
    restart: async () => {
      await child.stop(STOP_GRACE_MS)
      await launchAgain()
    },
    snapshot: async () => {
      const copy = await how.disk.copy()
      return () => restartWith(copy)
    },
    restartEmpty: () => restartWith(),
    stop: async () => {
      await child.stop(STOP_GRACE_MS)
      await discard()
    },
  }
}
