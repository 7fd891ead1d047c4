import type { Redis } from 'ioredis'
import { isRefusal } from './connection.ts'

/** Who asks, and of which server. */
export type Role = 'gateway' | 'worker' | 'cashier'
export type RedisKind = 'queue' | 'ledger'

/** Commands that a user needs on one kind of keys, of one shard: rights are given for all of them. */
type Need = readonly [keys: string, ...commands: string[]]

const HASH = ['hget', 'hgetall', 'hmget', 'hmset', 'hset', 'hdel']
const QUEUED = [
  'exists',
  'get',
  'set',
  'incr',
  'persist',
  'pexpire',
  'pttl',
  ...HASH,
  'llen',
  'lpos',
  'lrange',
  'lpush',
]
const MORE = ['rpush', 'sadd', 'scard', 'zadd', 'zrange', 'zrem', 'zrevrangebyscore', 'zscore', 'xadd']
const TAKEN = ['hexists', 'hincrby', 'lrem', 'ltrim', 'rpoplpush', 'smembers', 'srem', 'zcard', 'zpopmin']
const FINISHED = ['zrangebyscore', 'zremrangebyrank', 'zremrangebyscore', 'zrevrange', 'xtrim']
const NOTES: readonly Need[] = [
  ['{s0}:weather', 'hdel', 'hget'],
  ['{s0}:ledger-seen', 'hdel', 'hget'],
]
const RECORDED = ['exists', 'pexpire', 'hget', 'hmget', 'hset', 'hdel', 'zadd']
const BOOKS: readonly Need[] = [
  ['{s0}:ledger', 'hdel', 'hget'],
  ['{s0}:open', 'zrem', 'zscan'],
]

/** What each needs, as deploy/redis/*.acl grant it. `*` stands for a name that nothing has; on keys that are always there only what
 * changes nothing is listed. Where keys are made, DEL comes last. */
const NEEDS: Readonly<Record<RedisKind, Readonly<Record<Role, readonly Need[]>>>> = {
  queue: {
    gateway: [['{s0}:sealed:*', 'set', 'del'], ['{s0}:payments:*', ...QUEUED, ...MORE, 'del'], ...NOTES],
    worker: [
      ['{s0}:sealed:*', 'get', 'del'],
      ['{s0}:payments:*', ...QUEUED, ...MORE, ...TAKEN, ...FINISHED, 'del'],
      ...NOTES,
    ],
    cashier: [],
  },
  ledger: {
    gateway: [['{s0}:payment:*', ...RECORDED, 'del'], ...BOOKS, ['reply:*', 'publish']],
    worker: [
      ['{s0}:payment:*', ...RECORDED, 'hsetnx', 'hincrby', 'del'],
      ...BOOKS,
      ['{s0}:open', 'zscore', 'zrangebyscore', 'zcard', 'zcount', 'zrem'],
      ['{s0}:id:*', 'hsetnx', 'hget', 'pexpire', 'del'],
      ['{s0}:lease:*', 'get', 'set', 'del'],
      ['{s0}:sweeper', 'hget', 'hdel'],
      ['{s0}:late', 'zrem', 'zscore', 'zcount', 'zremrangebyscore'],
      ['{s0}:review', 'zcard', 'zrangebyscore', 'zrem'],
      ['{s0}:keys', 'hget', 'hdel'],
      ['{s0}:honoured', 'hget', 'hdel'],
      ['reply:*', 'publish'],
    ],
    cashier: [
      ['{s0}:payment:*', 'pexpire', 'pttl', 'hget', 'hmget', 'hset', 'hdel', 'zadd', 'del'],
      ['{s0}:ledger', 'hget'],
      ['{s0}:open', 'zscore', 'zscan', 'zrange', 'zrem'],
      ['{s0}:id:*', 'hsetnx', 'hget', 'pexpire', 'del'],
      ['{s0}:late', 'zcard', 'zrange', 'zrem'],
      ['{s0}:honoured', 'hget'],
      ['{s0}:audit', 'xadd', 'xrange'],
      ['reply:*', 'publish'],
    ],
  },
}

/** What follows the key: as little as the command takes, so that it is judged by its user's rights and does nothing more. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  set: ['', 'PX', '1'],
  pexpire: ['1'],
  hget: ['-'],
  hmget: ['-'],
  hmset: ['-', ''],
  hset: ['-', ''],
  hsetnx: ['-', ''],
  hdel: ['-'],
  hexists: ['-'],
  hincrby: ['-', '0'],
  lpos: ['-'],
  lrange: ['0', '0'],
  lpush: [''],
  rpush: [''],
  lrem: ['0', '-'],
  ltrim: ['0', '0'],
  sadd: [''],
  srem: ['-'],
  zadd: ['0', '-'],
  zrange: ['0', '0'],
  zrem: ['-'],
  zscan: ['0'],
  zscore: ['-'],
  zrangebyscore: ['1', '0'],
  zcount: ['1', '0'],
  zrevrangebyscore: ['0', '1'],
  zrevrange: ['0', '0'],
  zremrangebyrank: ['1', '0'],
  zremrangebyscore: ['1', '0'],
  // No id that an entry can have: one that is added stays.
  xadd: ['-', '-', ''],
  xrange: ['-', '-'],
  xtrim: ['MAXLEN', '0'],
  publish: [''],
}

export type RightsOptions = {
  role: Role
  /** For a worker whose fences wait for replicas. */
  waitaof?: boolean
  /** One that lies on this server: a cluster's node answers for its own only. */
  shard?: string
}

/** What this user lacks, empty when it lacks nothing: tried in one script, each command on a key that nothing else has; what no script
 * may call is tried by itself. Without this the first payment would find it out. (Whether a user may subscribe cannot be tried
 * without doing so: the start does.) */
export async function missingRights(redis: Redis, kind: RedisKind, options: RightsOptions): Promise<string[]> {
  const lacks = [...(await lackedInScript(redis, kind, options)), ...(await lackedOutside(redis, kind, options))]
  return lacks.length === 0 ? [] : [`its user has no right to ${lacks.join(', ')} (deploy/redis says what it needs)`]
}

async function lackedInScript(redis: Redis, kind: RedisKind, { role, shard = 's0' }: RightsOptions): Promise<string[]> {
  const onKeys = NEEDS[kind][role].flatMap(([keys, ...commands]) =>
    commands.map((command) => triedOn(inShard(keys, shard), command)),
  )
  const tries = [{ name: 'time', call: ['time'] }, { name: 'ping', call: ['ping'] }, ...onKeys]
  const calls = JSON.stringify(tries.map(({ call }) => call))
  const home = inShard(kind === 'queue' ? '{s0}:payments:*' : '{s0}:payment:*', shard)
  const refused = await redis.eval(TRY, 1, home, calls).catch(unlessRefused)
  if (refused === undefined) return [`eval ${home}`]
  return Array.isArray(refused) ? refused.flatMap((nth: number) => tries[nth - 1]?.name ?? []) : []
}

async function lackedOutside(redis: Redis, kind: RedisKind, options: RightsOptions): Promise<string[]> {
  const lacked = outside(kind, options).map(async ([command, ...args]) => {
    const answer = await redis.call(command, ...args).catch(unlessRefused)
    return answer === undefined ? [command] : []
  })
  return (await Promise.all(lacked)).flat()
}

/** With arguments for which nothing is done, and nobody waits. */
function outside(
  kind: RedisKind,
  { role, waitaof = false, shard = 's0' }: RightsOptions,
): [command: string, ...string[]][] {
  const rights = inShard('{s0}:payments:rights', shard)
  if (role === 'worker' && kind === 'queue') return [EVALSHA, ['bzpopmin', rights, 'not a time']]
  return role === 'worker' && waitaof ? [EVALSHA, ['waitaof', '0', '0', '1']] : [EVALSHA]
}

const inShard = (keys: string, shard: string) => keys.replace('{s0}', `{${shard}}`)

const EVALSHA: [string, ...string[]] = ['evalsha', '0'.repeat(40), '0']

const triedOn = (keys: string, command: string) => {
  const key = keys.replace('*', 'rights')
  const ends = command === 'rpoplpush' ? [key] : (ARGUMENTS[command] ?? [])
  return { name: `${command} ${keys}`, call: [command, key, ...ends] }
}

/** Undefined where the user's rights were too few. Any other no (there is no such script, the server is busy) is no finding. */
function unlessRefused(error: Error): unknown {
  if (!isRefusal(error)) throw error
  return error.message.startsWith('NOPERM') ? undefined : error
}

// Redis has said it in three ways so far.
const TRY = `
local refused = {}
for nth, call in ipairs(cjson.decode(ARGV[1])) do
  local reply = redis.pcall(unpack(call))
  local said = type(reply) == 'table' and type(reply.err) == 'string' and reply.err or ''
  if string.find(said, 'NOPERM') or string.find(said, 'ACL failure') or string.find(said, 'user executing the script') then
    refused[#refused + 1] = nth
  end
end
return refused`
