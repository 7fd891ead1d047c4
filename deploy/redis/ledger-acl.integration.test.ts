import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningRedis } from '../../scripts/redis/redis.ts'
import { startTestRedis } from '../../scripts/test/servers.ts'
import { aclOf } from './acl.ts'

let redis: RunningRedis
const clients: Redis[] = []

const connect = (options: { username?: string; password?: string } = {}) => {
  const client = new Redis(redis.url, options)
  // One of them is not let in.
  client.on('error', () => undefined)
  clients.push(client)
  return client
}

beforeAll(async () => {
  redis = await startTestRedis({ kind: 'ledger', args: ['--enable-debug-command', 'yes'] })
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await redis?.stop()
})

it('lets the ledger keep what scripts have written when it reads its file again, and lets nobody in without a name', async () => {
  const password = randomBytes(16).toString('hex')
  await connect().call('ACL', 'SETUSER', 'root', 'on', `>${password}`, '~*', '&*', '+@all')
  const root = connect({ username: 'root', password })
  await root.call('ACL', 'SETUSER', 'default', 'reset', ...rulesOfDefault())

  await root.eval("redis.call('SET', 'one', 1) redis.call('SET', 'two', 2)", 0)
  // As at a start.
  await root.call('DEBUG', 'LOADAOF')

  expect(await root.exists('one', 'two')).toBe(2)
  await expect(connect().get('one')).rejects.toThrow('NOAUTH')
  await expect(root.call('AUTH', 'default', '')).rejects.toThrow('WRONGPASS')
})

function rulesOfDefault(): string[] {
  const passwords = { gateway: 'g', worker: 'w', operator: 'o', cashier: 'c' }
  const line = aclOf('ledger', { passwords }).find((each) => each.startsWith('user default '))
  return line?.split(' ').slice(2) ?? []
}
