import { outputOf, pathOf } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { installRedis } from './install.ts'

/** Either the path of a server on this machine, or the container engine. */
export type RedisSource = { from: 'machine'; program: string } | { from: 'engine' }

const PROGRAMS = ['redis-server', 'valkey-server']
/** BullMQ and our scripts need it. */
const OLDEST = [6, 2] as const
const ANSWER_LIMIT_MS = 5_000

/** Finds a Redis, in this order:
 * 1. `redis-server` or `valkey-server` on PATH, recent enough
 * 2. installed through the system's package manager, where that asks for no password (install-redis.ts)
 * 3. a container engine that answers
 * 4. an error that says what to install. */
export function findRedis(): Promise<RedisSource> {
  found ??= search()
  return found
}

/** Looked for once in a process: two servers that start side by side must not both install one. */
let found: Promise<RedisSource> | undefined

async function search(): Promise<RedisSource> {
  const program = (await findOnPath()) ?? (await findInstalled())
  if (program !== undefined) return { from: 'machine', program }
  if (await hasEngine()) return { from: 'engine' }
  throw new Error(howToInstall)
}

async function findInstalled(): Promise<string | undefined> {
  return (await installRedis()) ? findOnPath() : undefined
}

async function findOnPath(): Promise<string | undefined> {
  for (const name of PROGRAMS) {
    const program = await pathOf(name)
    if (program !== undefined && (await isRecent(program))) return program
  }
  return undefined
}

async function isRecent(program: string): Promise<boolean> {
  const printed = await outputOf(program, ['--version'], { limitMs: ANSWER_LIMIT_MS })
  const [, major = '0', minor = '0'] = /v=(\d+)\.(\d+)/.exec(printed ?? '') ?? []
  const recent = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])
  if (!recent) say(`${program} is version ${major}.${minor}; ${OLDEST.join('.')} or newer is needed`)
  return recent
}

export async function hasEngine(): Promise<boolean> {
  const version = await outputOf('docker', ['version', '--format', '{{.Server.Version}}'], { limitMs: ANSWER_LIMIT_MS })
  return version !== undefined && version !== ''
}

const howToInstall = `No Redis was found, and none could be installed without a password. Any one of these will do:
  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora, RHEL     sudo dnf install valkey
  macOS            brew install redis
  anywhere         a container engine that \`docker version\` reaches
  your own         QUEUE_REDIS_URL and LEDGER_REDIS_URL (npm start), see README.md`
