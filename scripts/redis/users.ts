import { randomBytes } from 'node:crypto'
import { aclOf, type Passwords, USERS, type User } from '../../deploy/redis/acl.ts'
import type { RedisKind } from './flags.ts'

/** One URL for each of the users that have a password. */
export type UserUrls = Readonly<Record<User, string>>

export type LocalUsers = {
  /** For the server's command line. */
  args: readonly string[]
  urlsAt: (url: string) => UserUrls
}

/** Users with the rights that an operator's have, on a server on loopback that lives for a test or a trial. Whoever names no user
 * there may do everything, so that a test can look and break. */
export function createUsers(kind: RedisKind, waitaof: boolean): LocalUsers {
  const passwords = Object.fromEntries(USERS.map((user) => [user, randomBytes(24).toString('base64url')])) as Passwords
  const lines = aclOf(kind, { passwords, waitaof }).filter((line) => !line.startsWith('user default off'))
  return {
    args: lines.flatMap((line) => `--${line}`.split(' ')),
    urlsAt: (url) => Object.fromEntries(USERS.map((user) => [user, as(user, passwords[user], url)])) as UserUrls,
  }
}

/** Somebody else's server: its URL says who we are there. */
export const sameForAll = (url: string): UserUrls => ({ gateway: url, worker: url, operator: url, cashier: url })

function as(user: User, password: string, text: string): string {
  const url = new URL(text)
  url.username = user
  url.password = password
  return url.href
}
