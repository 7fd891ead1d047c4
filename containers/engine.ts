import { outputOf, runTool } from '../scripts/process/run-tool.ts'

const SHORT_MS = 20_000
const BUILD_MS = 240_000

const { env } = process

export const NODE_IMAGE = env.NODE_IMAGE ?? 'node:24-trixie-slim'
const REDIS_IMAGE = env.REDIS_IMAGE ?? 'redis:8'
const PROXY_IMAGE = env.PROXY_IMAGE ?? 'haproxy:3.2'
const DEBIAN_IMAGE = 'debian:trixie-slim'

/** Why the images cannot be tried on this machine, or undefined. No image is pulled for it: who has none of them has other things
 * to do. */
export async function whyNoContainers(): Promise<string | undefined> {
  if (!(await answers('info', '--format', '{{.ServerVersion}}'))) return 'no container engine answers'
  if (!(await answers('compose', 'version', '--short'))) return 'docker compose is not here'
  for (const image of [NODE_IMAGE, REDIS_IMAGE]) {
    if (!(await isHere(image))) return `the image ${image} is not here`
  }
  return proxyImage().then(
    () => undefined,
    () => `the image ${PROXY_IMAGE} is not here, and no other with HAProxy can be made`,
  )
}

/** The image that docker-compose.yml names; where it is not here, one made of Debian's package. */
export async function proxyImage(): Promise<string> {
  if (await isHere(PROXY_IMAGE)) return PROXY_IMAGE
  if (!(await isHere(DEBIAN_IMAGE))) throw new Error(`the image ${DEBIAN_IMAGE} is not here`)
  await docker('build', '--quiet', '--tag', STAND_IN, '--build-arg', `BASE=${DEBIAN_IMAGE}`, recipe('proxy'))
  return STAND_IN
}

const STAND_IN = 'pay-test-haproxy'

const recipe = (name: string) => new URL(`stand-ins/${name}`, import.meta.url).pathname

export const docker = (...args: string[]) => runTool('docker', args, { limitMs: BUILD_MS })

const answers = async (...args: string[]) => Boolean(await outputOf('docker', args, { limitMs: SHORT_MS }))

const isHere = (image: string) => answers('image', 'inspect', '--format', '{{.Id}}', image)
