import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The Redis servers, each with a list of users beside this file. */
export const SERVERS = ['queue', 'ledger'] as const
export type Server = (typeof SERVERS)[number]

/** The users that have a password. */
export const USERS = ['gateway', 'worker', 'operator', 'cashier'] as const
export type User = (typeof USERS)[number]

export type Passwords = Readonly<Record<User, string>>

export type AclOptions = {
  passwords: Passwords
  /** For workers with LEDGER_REPLICAS_ACK. A Redis before 7.2 does not start with a command that it does not know. */
  waitaof?: boolean
}

/** The users of a server as Redis reads them: one line each, in which passwords are hashes. */
export function aclOf(server: Server, { passwords, waitaof = false }: AclOptions): string[] {
  const lines = linesOf(readFileSync(new URL(`${server}.acl`, import.meta.url), 'utf8'))
  const finished = USERS.reduce((text, user) => text.replace(placeOf(user), hashOf(passwords[user])), lines.join('\n'))
  return finished.split('\n').map((line) => (waitaof && isLedgersWorker(server, line) ? `${line} +waitaof` : line))
}

/** Redis knows neither comments nor lines that go on. */
const linesOf = (text: string) =>
  text
    .replace(/^#.*\n/gm, '')
    .replace(/\n +/g, ' ')
    .split('\n')
    .filter(Boolean)

const placeOf = (user: User) => `PASSWORD_OF_${user.toUpperCase()}`

/** Passwords are random and long, so a plain hash gives nothing away. */
const hashOf = (password: string) => `#${createHash('sha256').update(password).digest('hex')}`

const isLedgersWorker = (server: Server, line: string) => server === 'ledger' && line.startsWith('user worker ')
