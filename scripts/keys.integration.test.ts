import { execFile } from 'node:child_process'
import { ledgerKey } from '@pay/ledger'
import { sealKeys } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRedis } from './redis/redis.ts'
import { repository } from './stack/service.ts'
import { startTestRedis } from './test/servers.ts'

/** `npm run keys`, run as people run it, on a ledger that nobody else uses. */
let server: RunningRedis
let ledger: Redis

beforeAll(async () => {
  server = await startTestRedis({ kind: 'ledger' })
  ledger = new Redis(server.url)
})

afterAll(async () => {
  ledger.disconnect()
  await server.stop()
})

type Ended = { code: number; out: string; said: string }

const keys = (args: readonly string[], env = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const options = { cwd: repository, env: { PATH: process.env.PATH, ...env } }
    execFile(process.execPath, ['scripts/keys.ts', ...args], options, (error, out, said) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, said })
    })
  })

// Starting a program may take a while on a busy machine.
describe('npm run keys', { timeout: 60_000 }, () => {
  it('prints an entry for SEAL_KEYS, or a LEDGER_KEY, and nothing else', async () => {
    const [today, named, other] = await Promise.all([keys(['new']), keys(['new', '--id', 'k2']), keys(['ledger'])])

    expect(sealKeys.parse(`${named.out}${today.out.trim()}`).first.id).toBe('k2')
    expect(today.out).toMatch(/^k20\d{6}:\S{44}\n$/)
    expect(ledgerKey.parse(other.out.trim())).toHaveLength(32)
    for (const { code, said } of [today, named, other]) expect({ code, said }).toEqual({ code: 0, said: '' })
  })

  it('lists the keys that open payments are sealed under', async () => {
    for (const [key, id] of Object.entries({ p_1: 'k1', p_2: 'k2', p_3: 'k1' })) {
      await ledger.hset(`{s0}:payment:${key}`, 'credentials', `2.${id}.AAAA`)
      await ledger.zadd('{s0}:open', 1, key)
    }

    const { code, out } = await keys(['used'], { LEDGER_REDIS_URL: server.url })

    expect(code).toBe(0)
    expect(out.split('\n').sort()).toEqual(['', 'k1\t2', 'k2\t1'])
  })

  it('says what it can do, and refuses anything else without printing a key', async () => {
    const bad = [['constructor'], ['new', 'k2'], ['new', '--id', 'k.2'], ['ledger', '--id', 'k2'], ['used']]

    const [help, ...refused] = await Promise.all([['--help'], ...bad].map((args) => keys(args)))

    expect(help).toMatchObject({ code: 0, out: expect.stringContaining('>> seal-keys'), said: '' })
    for (const ended of refused) {
      expect(ended).toEqual({ code: 2, out: '', said: expect.stringContaining('See: npm run keys -- --help') })
    }
  })
})
