import { randomUUID } from 'node:crypto'
import type { StartedTestContainer } from 'testcontainers'
import { freePort } from '../process/free-port.ts'
import { guard } from '../process/guard.ts'
import { awaitRedis } from './ask.ts'
import { command, DISK, REDIS_IMAGE } from './container.ts'
import type { RedisOptions, RunningRedis } from './redis.ts'
import { createUsers, type LocalUsers } from './users.ts'

const START_LIMIT_MS = 60_000

/** Our reaper removes the containers of a test run that died; Testcontainers' own would have to be pulled first. */
const withoutRyuk = () => {
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
}

/** Whether Testcontainers reaches an engine that has the image. It never pulls. */
export async function hasTestcontainers(): Promise<boolean> {
  withoutRyuk()
  try {
    const { image } = await engine()
    await image.inspect()
    return true
  } catch {
    return false
  }
}

async function engine() {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const { dockerode } = (await getContainerRuntimeClient()).container
  return { dockerode, image: dockerode.getImage(REDIS_IMAGE) }
}

/** A Redis in a container started by Testcontainers, on a port of loopback that stays its own over `kill` and `restart`. */
export async function startRedisTestcontainer(options: RedisOptions): Promise<RunningRedis> {
  withoutRyuk()
  const port = options.port ?? (await freePort())
  const users = createUsers(options.kind, true)
  const url = `redis://127.0.0.1:${port}`
  const { started, release } = await runContainer({ options, users, port })
  const { dockerode } = await engine()
  const container = dockerode.getContainer(started.getId())
  const answering = () => awaitRedis({ port, limitMs: START_LIMIT_MS })
  const restart = async () => {
    await container.restart()
    await answering()
  }
  const restartAfter = async (script: string) => {
    await onDisk(started, script)
    await container.kill()
    await restart()
  }
  await answering()
  return {
    kind: options.kind,
    url,
    urls: users.urlsAt(url),
    pid: undefined,
    source: `Testcontainers (${REDIS_IMAGE})`,
    pause: () => container.pause(),
    resume: () => container.unpause(),
    kill: () => container.kill(),
    restart,
    snapshot: async () => {
      const copy = `/copy-${randomUUID()}`
      await onDisk(started, DISK.copy(copy))
      return () => restartAfter(DISK.replace(copy))
    },
    restartEmpty: () => restartAfter(DISK.empty),
    stop: async () => {
      await container.remove({ force: true, v: true }).catch(() => undefined)
      release()
    },
  }
}

async function onDisk(container: StartedTestContainer, script: string): Promise<void> {
  const { exitCode, output } = await container.exec(['sh', '-c', script])
  if (exitCode !== 0) throw new Error(`in the container of a Redis: ${output}`)
}

/** Guarded from the moment it is created: one that does not come up is removed with us. */
async function runContainer({
  options,
  users,
  port,
}: {
  options: RedisOptions
  users: LocalUsers
  port: number
}): Promise<{ started: StartedTestContainer; release: () => void }> {
  const { GenericContainer, Wait } = await import('testcontainers')
  let release: () => void = () => undefined
  /** Testcontainers publishes on every interface; a Redis without a password belongs on loopback. */
  class OnLoopback extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      this.hostConfig.PortBindings = { '6379/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] }
    }
    protected override async containerCreated(id: string): Promise<void> {
      release = guard('container', id)
    }
  }
  const started = await new OnLoopback(REDIS_IMAGE)
    .withCommand(command(options, users))
    .withExposedPorts({ container: 6379, host: port })
    .withStartupTimeout(START_LIMIT_MS)
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  return { started, release }
}
