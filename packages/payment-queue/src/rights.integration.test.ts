import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aclOf } from '../../../deploy/redis/acl.ts'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { missingRights } from './rights.ts'

const passwords = { gateway: 'g', worker: 'w', operator: 'o', cashier: 'c' }

let server: RunningRedis
let administrator: Redis

beforeAll(async () => {
  server = await startTestRedis({ kind: 'queue' })
  administrator = new Redis(server.url)
})

afterAll(async () => {
  administrator.disconnect()
  await server.stop()
})

const everyone = [
  ['gateway', 'queue'],
  ['worker', 'queue'],
  ['gateway', 'ledger'],
  ['worker', 'ledger'],
  ['cashier', 'ledger'],
] as const

type Role = (typeof everyone)[number][0]

const rulesOf = (kind: 'queue' | 'ledger', role: Role) => {
  const line = aclOf(kind, { passwords }).find((each) => each.startsWith(`user ${role} `)) ?? ''
  return line.split(' ').slice(2)
}

/** What somebody with these rights is found to lack. */
async function lackedWith(rules: readonly string[], kind: 'queue' | 'ledger', role: Role) {
  await administrator.call('ACL', 'SETUSER', role, 'reset', ...rules)
  const redis = new Redis(server.url, { username: role, password: passwords[role], enableReadyCheck: false })
  const lacks = await missingRights(redis, kind, { role })
  redis.disconnect()
  return lacks
}

it.each(everyone)(
  'a %s has on the %s all the rights that it needs, and trying them leaves nothing behind',
  async (role, kind) => {
    expect(await lackedWith(rulesOf(kind, role), kind, role)).toEqual([])
    expect(await administrator.dbsize()).toBe(0)
  },
)

// Those that the start itself needs before rights are looked at, or that it uses right afterwards.
const SEEN_OTHERWISE = [
  '+cluster|slots',
  '+cluster|keyslot',
  '+info',
  '+config|get',
  '+command|info',
  '+client|setname',
  '+subscribe',
  '+scan',
]

it.each(everyone)('a %s that lacks one of them on the %s is told which', async (role, kind) => {
  const rules = rulesOf(kind, role)
  const rights = rules.filter((rule) => /^(\+|~|&)/.test(rule) && !SEEN_OTHERWISE.includes(rule) && !rule.endsWith(')'))

  for (const right of rights) {
    const less = rules.filter((rule) => rule !== right)

    const lacks = await lackedWith(less, kind, role)

    const named = right.startsWith('+') ? right.slice(1) : right.slice(1).replace('{s*}', '{s0}')
    expect(lacks, right).toEqual([expect.stringContaining(named)])
  }
})

it.each([
  ['gateway', 'set {s0}:sealed:*, del {s0}:sealed:*'],
  ['worker', 'get {s0}:sealed:*, del {s0}:sealed:*'],
] as const)('a %s that does not reach what is sealed is told so', async (role, lacks) => {
  const rules = rulesOf('queue', role)
    .join(' ')
    .replace(/ \([^)]*\)/g, '')
    .split(' ')

  expect(await lackedWith(rules, 'queue', role)).toEqual([
    `its user has no right to ${lacks} (deploy/redis says what it needs)`,
  ])
})

it('a user that may do everything lacks nothing, whatever it is', async () => {
  for (const [role, kind] of everyone) expect(await missingRights(administrator, kind, { role })).toEqual([])
})
