import { isRefusal, type RedisKind } from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import type { Role } from './configuration.ts'

/** A command that changes nothing, and what its user could do who may call it and need not. */
type Temptation = readonly [power: string, ...command: [string, ...string[]]]

/** Each is judged by the user's rights before anything else. None does anything where it is allowed: names that nothing has, a setting
 * that there is not, a write only where something is there already. */
const EVERYBODY: readonly Temptation[] = [
  ['change settings', 'config', 'set', 'no-such-setting-pay-doctor', '1'],
  ['look into rights', 'acl', 'whoami'],
  ['end connections of others', 'client', 'kill', 'ID', '9007199254740991'],
  ['list all keys', 'scan', '0', 'COUNT', '1'],
  ['reach keys that are not ours', 'exists', '{s0}pay-doctor'],
]

const OTHERS: Readonly<Record<RedisKind, Readonly<Record<Role, readonly Temptation[]>>>> = {
  queue: {
    gateway: [['read what it sealed', 'get', '{s0}:sealed:pay-doctor']],
    worker: [['write what gateways seal', 'set', '{s0}:sealed:pay-doctor', '', 'XX']],
  },
  ledger: {
    gateway: [['touch the leases of workers', 'exists', '{s0}:lease:pay-doctor']],
    worker: [],
  },
}

/** What this user may do there beyond its work: each is something that whoever takes over such a process could do, too. */
export async function excessOf(
  redis: Redis,
  kind: RedisKind,
  { role, shard }: { role: Role; shard: string },
): Promise<string[]> {
  const tempting = [...EVERYBODY, ...OTHERS[kind][role]]
  const found = await Promise.all(
    tempting.map(async ([power, command, ...args]) => {
      const isAllowed = await redis
        .call(command, ...args.map((arg) => arg.replace('{s0}', `{${shard}}`)))
        .then(() => true, isOtherThanRights)
      return isAllowed ? [power] : []
    }),
  )
  return found.flat()
}

/** A command that this server does not know is no right either, nor is a key of another node of a cluster. */
function isOtherThanRights(error: Error): boolean {
  if (!isRefusal(error)) throw error
  return !/^(NOPERM|MOVED|CROSSSLOT)|unknown (sub)?command/i.test(error.message)
}
