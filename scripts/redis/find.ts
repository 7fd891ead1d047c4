import { outputOf, pathOf } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { installRedis } from './install.ts'

/** Either the path of a server on this machine, or the container engine. */
export type RedisSource = LocalRedis | { from: 'engine' }
export type LocalRedis = { from: 'machine'; program: string; hasWaitaof: boolean }

const PROGRAMS = ['redis-server', 'valkey-server']
/** The users of deploy/redis need it. (Gateway and worker themselves are content with 6.2.) */
const OLDEST: Version = [7, 0]
const WAITAOF_SINCE: Version = [7, 2]
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
  const local = (await findOnPath()) ?? (await findInstalled())
  if (local !== undefined) return local
  if (await hasEngine()) return { from: 'engine' }
  throw new Error(howToInstall)
}

async function findInstalled(): Promise<LocalRedis | undefined> {
  return (await installRedis()) ? findOnPath() : undefined
}

async function findOnPath(): Promise<LocalRedis | undefined> {
  for (const name of PROGRAMS) {
    const program = await pathOf(name)
    const found = program === undefined ? undefined : await judge(program)
    if (found) return found
  }
  return undefined
}

async function judge(program: string): Promise<LocalRedis | undefined> {
  const printed = await outputOf(program, ['--version'], { limitMs: ANSWER_LIMIT_MS })
  const [, major = '0', minor = '0'] = /v=(\d+)\.(\d+)/.exec(printed ?? '') ?? []
  const version: Version = [Number(major), Number(minor)]
  if (isFrom(OLDEST, version)) return { from: 'machine', program, hasWaitaof: isFrom(WAITAOF_SINCE, version) }
  say(`${program} is version ${version.join('.')}; ${OLDEST.join('.')} or newer is needed`)
  return undefined
}

type Version = readonly [major: number, minor: number]

const isFrom = (oldest: Version, [major, minor]: Version) =>
  major > oldest[0] || (major === oldest[0] && minor >= oldest[1])

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
