import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { aclOf, type Passwords, SERVERS, type Server, USERS, type User } from './acl.ts'

/* Makes the users of both Redis servers, each with a password of its own:
 *   FOLDER/acl/queue.acl, ledger.acl                                   for the servers; passwords are hashes there
 *   FOLDER/gateway/queue-redis-url, ledger-redis-url, same for the others    the secrets
 * Passwords that are there already stay, so that it can be run again after an update: then only the rights are new. */

const HELP = `node deploy/redis/make.ts [options] FOLDER

  --queue HOST:PORT    where the queue's Redis is, as gateways and workers reach it (queue:6379)
  --ledger HOST:PORT   where the ledger's is (ledger:6379)
  --cluster            each is a cluster: name some of its nodes, one:6379,two:6379. All nodes get the same list
  --tls                rediss:// instead of redis://
  --waitaof            for LEDGER_REPLICAS_ACK; only for a Redis of 7.2 or newer
`

type Wish = { queue: string; ledger: string; cluster: boolean; tls: boolean; waitaof: boolean; folder: string }

function main(args: string[]): void {
  const wish = readWish(args)
  if (wish === undefined) return void process.stdout.write(HELP)
  for (const server of SERVERS) make(server, wish)
}

/** Undefined where help is wanted, or no folder is named. */
function readWish(args: string[]): Wish | undefined {
  const off = { type: 'boolean', default: false } as const
  const options = {
    queue: { type: 'string', default: 'queue:6379' },
    ledger: { type: 'string', default: 'ledger:6379' },
    cluster: off,
    tls: off,
    waitaof: off,
    help: off,
  } as const
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [folder] = positionals
  return values.help || !folder ? undefined : { ...values, folder }
}

function make(server: Server, wish: Wish): void {
  const passwords = Object.fromEntries(USERS.map((user) => [user, passwordFor(server, user, wish)])) as Passwords
  const list = aclOf(server, { passwords, waitaof: wish.waitaof }).join('\n')
  for (const user of USERS) write(fileOf(server, user, wish), urlOf(server, user, passwords, wish), SECRET)
  write(join(wish.folder, 'acl', `${server}.acl`), list, PUBLIC)
}

function urlOf(server: Server, user: User, passwords: Passwords, wish: Wish): string {
  const scheme = `${wish.tls ? 'rediss' : 'redis'}${wish.cluster ? '+cluster' : ''}`
  return `${scheme}://${user}:${passwords[user]}@${wish[server]}`
}

const passwordFor = (server: Server, user: User, wish: Wish) =>
  passwordIn(fileOf(server, user, wish)) ?? randomBytes(32).toString('base64url')

function passwordIn(file: string): string | undefined {
  try {
    return /^[\w+]+:\/\/[^:@]*:([^@]+)@/.exec(readFileSync(file, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

const fileOf = (server: Server, user: User, { folder }: Wish) => join(folder, user, `${server}-redis-url`)

// The lists hold hashes of long random passwords. A server runs as another user than this, and must be able to read its list.
const PUBLIC = { file: 0o644, folder: 0o755 }
const SECRET = { file: 0o600, folder: 0o700 }

function write(file: string, text: string, mode: typeof PUBLIC): void {
  mkdirSync(dirname(file), { recursive: true, mode: mode.folder })
  writeFileSync(file, `${text}\n`, { mode: mode.file })
}

try {
  main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
