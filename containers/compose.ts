import { randomUUID } from 'node:crypto'
import { DockerComposeEnvironment } from 'testcontainers'
import { freePort } from '../scripts/process/free-port.ts'
import { guard } from '../scripts/process/guard.ts'
import { runTool } from '../scripts/process/run-tool.ts'
import { BRIDGE_PATH } from '../scripts/stack/fleet.ts'
import { repository } from '../scripts/stack/service.ts'
import { docker, NODE_IMAGE, proxyImage } from './engine.ts'

export type Service = 'proxy' | 'gateway' | 'worker' | 'queue' | 'ledger'

export type Composed = Awaited<ReturnType<typeof composeUp>>

const START_LIMIT_MS = 240_000

/** What docker-compose.yml would take from the environment of this process: as if it had none. Vitest, for one, has a MODE. */
const UNSET = { MODE: '', PAYCONEX_URL: '', SEAL_KEYS: '', LEDGER_KEY: '', LOG_LEVEL: '' }

/** Builds the image and starts docker-compose.yml as its user would, under a name and on ports of its own:
 * somebody who runs the same file on this machine notices nothing. */
export async function composeUp() {
  const project = `pay-test-${randomUUID().slice(0, 8)}`
  const image = `${project}-image`
  const ports = { PORT: String(await freePort()), SIMULATOR_PORT: String(await freePort()) }
  const env = { ...UNSET, ...ports, PAY_IMAGE: image, NODE_IMAGE, PROXY_IMAGE: await proxyImage() }
  const release = guard('compose', project)

  await docker('build', '--quiet', '--build-arg', `BASE=${NODE_IMAGE}`, '--tag', image, repository)
  const started = await new DockerComposeEnvironment(repository, 'docker-compose.yml')
    .withProjectName(project)
    .withEnvironment(env)
    // Its own reaper would have to be pulled; ours removes what a run that died left behind.
    .withAutoCleanup(false)
    .withStartupTimeout(START_LIMIT_MS)
    .up()
    .catch(async (error: unknown) => {
      await docker('image', 'rm', image)
      throw error
    })

  const compose = (...args: string[]) =>
    runTool('docker', ['compose', '--project-directory', repository, '--project-name', project, ...args], {
      limitMs: START_LIMIT_MS,
      env,
    })
  const idsOf = async (service: Service) => (await compose('ps', '--quiet', service)).split('\n').filter(Boolean)

  /** As docs/deploy.md says: one after the other is stopped, removed and made anew. Returns how each ended. */
  async function renew(service: Service): Promise<number[]> {
    const codes: number[] = []
    for (const id of await idsOf(service)) {
      await docker('stop', id)
      codes.push(Number(await docker('inspect', '--format', '{{.State.ExitCode}}', id)))
      await docker('rm', id)
      await compose('up', '--detach', '--no-deps', '--no-recreate', '--wait', service)
    }
    return codes
  }

  return {
    image,
    endpoint: `http://127.0.0.1:${ports.PORT}${BRIDGE_PATH}`,
    simulator: `http://127.0.0.1:${ports.SIMULATOR_PORT}`,
    renew,
    exec: (name: string, ...command: string[]) => started.getContainer(name).exec(command),
    scale: (service: Service, count: number) =>
      compose('up', '--detach', '--no-deps', '--no-recreate', '--wait', '--scale', `${service}=${count}`, service),
    restart: (service: Service) => compose('restart', service),
    signal: (service: Service, signal: string) => compose('kill', '--signal', signal, service),
    down: async () => {
      await started.down({ removeVolumes: true, timeout: SECOND })
      await docker('image', 'rm', image)
      release()
    },
  }
}

const SECOND = 1000
