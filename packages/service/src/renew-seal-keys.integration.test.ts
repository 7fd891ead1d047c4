import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@pay/mapper'
import { sealCredentials, sealKeys } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import type { LogFields } from './log.ts'
import { renewSealKeys } from './renew-seal-keys.ts'

const entry = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const [K1, K2] = [entry('k1'), entry('k2')]
const LEDGER_KEY = randomBytes(32)
const credentials = { accountId: '120615000001', accessKey: new Secret('abcdef') }

let server: RunningRedis
let redis: Redis
const folder = mkdtempSync(join(tmpdir(), 'seal-keys-'))
const file = join(folder, 'seal-keys')
let stop = () => undefined as unknown

beforeAll(async () => {
  server = await startTestRedis({ kind: 'ledger' })
  redis = new Redis(server.url)
})

afterEach(async () => {
  stop()
  await redis.flushall()
})

afterAll(async () => {
  redis.disconnect()
  await server.stop()
  rmSync(folder, { recursive: true })
})

/** A process that began with `text`, and looks at its file every few milliseconds. */
function renewing(text: string) {
  writeFileSync(file, text)
  const ring = sealKeys.parse(text)
  const lines: [level: string, fields: LogFields][] = []
  const note = (level: string) => (fields: LogFields) => void lines.push([level, fields])
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const env = { SEAL_KEYS: ring, SEAL_KEYS_FILE: file, LOST_SEAL_KEYS: [], LEDGER_KEY }
  stop = renewSealKeys({ env, ledger: [redis], everyMs: 5, log })
  return { ring, lines, write: (changed: string) => writeFileSync(file, changed) }
}

async function anOpenPaymentUnder(key: string): Promise<void> {
  const sealed = sealCredentials(credentials, 'p_open', sealKeys.parse(key))
  await redis.zadd('{s0}:open', 1, 'p_open')
  await redis.hset('{s0}:payment:p_open', 'credentials', sealed)
}

it('keys that are added to the file, and put first, are taken over', async () => {
  const { ring, lines, write } = renewing(K1)

  write(`${K1}\n${K2}\n`)
  await expect.poll(() => [...ring.all.keys()], { interval: 5 }).toEqual(['k1', 'k2'])
  write(`${K2}\n${K1}`)

  await expect.poll(() => ring.first.id, { interval: 5 }).toBe('k2')
  expect(ring.first.key).toEqual(Buffer.from(K2.slice(3), 'base64'))
  expect(lines).toEqual([
    ['info', { event: 'keys.renewed', setting: 'k1,k2' }],
    ['info', { event: 'keys.renewed', setting: 'k2,k1' }],
  ])
})

it('a key that an open payment needs cannot be dropped until that is over', async () => {
  await anOpenPaymentUnder(K1)
  const { ring, lines, write } = renewing(`${K2},${K1}`)

  write(K2)
  await expect.poll(() => lines, { interval: 5 }).toHaveLength(1)
  expect(lines[0]).toEqual([
    'error',
    { event: 'keys.not_renewed', reason: expect.stringMatching(/^SEAL_KEYS: k1 is missing, and open payments/) },
  ])
  expect([...ring.all.keys()]).toEqual(['k2', 'k1'])
  await redis.del('{s0}:open')

  await expect.poll(() => [...ring.all.keys()], { interval: 5 }).toEqual(['k2'])
  expect(lines).toHaveLength(2)
})

it.each([
  ['is empty', '', 'SEAL_KEYS_FILE: holds no keys'],
  ['is half written', K2.slice(0, 20), 'SEAL_KEYS_FILE: holds no keys'],
  ['holds a key twice', `${K1},${K1}`, 'SEAL_KEYS_FILE: holds no keys'],
  ['holds what nobody made at random', `k2:${Buffer.alloc(32, 1).toString('base64')}`, 'is not random'],
  ['holds LEDGER_KEY', `k2:${LEDGER_KEY.toString('base64')}`, 'is the same key as LEDGER_KEY'],
])('a file that %s changes nothing, and is named once and without a key', async (_, text, reason) => {
  const { ring, lines, write } = renewing(K1)

  write(text)

  await expect
    .poll(() => lines, { interval: 5 })
    .toEqual([['error', { event: 'keys.not_renewed', reason: expect.stringContaining(reason) }]])
  expect([...ring.all.keys()]).toEqual(['k1'])
  expect(JSON.stringify(lines)).not.toContain(text.slice(3, 20) || 'nothing')
})

it('a file that is gone changes nothing, and counts again when it is back', async () => {
  const { ring, lines, write } = renewing(K1)

  rmSync(file)
  await expect.poll(() => lines, { interval: 5 }).toEqual([['error', { event: 'keys.not_renewed', reason: 'ENOENT' }]])
  write(`${K1},${K2}`)

  await expect.poll(() => [...ring.all.keys()], { interval: 5 }).toEqual(['k1', 'k2'])
})
