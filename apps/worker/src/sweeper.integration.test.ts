import { randomUUID } from 'node:crypto'
import { createLedger, type PaymentRecord } from '@pay/ledger'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'
import { startSweeper } from './sweeper.ts'
import { silentLog, times } from './testing.ts'

// Its own keys, so that files run side by side on one Redis.
const shard = randomUUID()
const redis = new Redis(inject('ledgerRedisUrl'))
const ledger = createLedger({ redis, shard, sendByMs: times.sendByMs, leaseMs: times.leaseMs, retentionMs: 60_000 })
const stops: (() => Promise<void>)[] = []
let attempt = { key: '', attempt: 1 }

const admission = {
  fingerprint: 'one',
  gateway: 'g1',
  method: 'charge' as const,
  account: '120615000001',
  custom_id: 'tx-1',
  sealedCredentials: 'sealed',
}

beforeEach(async () => {
  attempt = { key: `p_${randomUUID()}`, attempt: 1 }
  await redis.del(`{${shard}}:open`, `{${shard}}:sweeper`)
  await ledger.admit({ ...admission, key: attempt.key })
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

afterAll(() => redis.disconnect())

/** Sweeps, and only remembers what would be done with the payment of this test. */
function sweep(worker: string) {
  const done: string[] = []
  const remember = (what: string) => async (record: PaymentRecord) => {
    if (record.key === attempt.key) done.push(what)
  }
  const books = { withdraw: remember('withdraw') } as unknown as Books
  const adopt: AdoptPayment = { takeOver: remember('take over'), askAgain: remember('ask again') }
  const sweeper = startSweeper({ ledger, books, adopt, worker, times, log: silentLog })
  stops.push(sweeper.stop)
  return done
}

describe('the sweeper', () => {
  it('withdraws an accepted payment once SEND_BY has passed', async () => {
    const given = sweep(randomUUID())

    await expect.poll(() => given, { timeout: 3000 }).toContain('withdraw')

    const record = await ledger.read(attempt.key)
    expect((record?.now ?? 0) - (record?.first ?? 0)).toBeGreaterThanOrEqual(times.sendByMs)
  })

  it('takes over a payment in sending, and asks again about an unconfirmed one', async () => {
    await ledger.fence(attempt, { owner: 'w1.a', reserved: '000000000001' })
    const given = sweep(randomUUID())
    await expect.poll(() => given, { timeout: 3000 }).toContain('take over')

    await ledger.finish(attempt, 'w1.a', { state: 'unconfirmed', dueMs: 1 })

    await expect.poll(() => given, { timeout: 3000 }).toContain('ask again')
  })

  it('leaves a payment alone that is over, also one that is still on its list', async () => {
    await ledger.withdraw(attempt, { state: 'not_sent' })
    await redis.zadd(`{${shard}}:open`, 0, attempt.key)
    const done = sweep(randomUUID())

    await expect.poll(() => redis.zscore(`{${shard}}:open`, attempt.key).then(Number)).toBeGreaterThan(0)

    expect(done).toEqual([])
  })

  it('finds a payment behind a hundred others that are in hand for long', async () => {
    const others = Array.from({ length: 100 }, () => `p_${randomUUID()}`)
    const { promise: never, resolve: release } = Promise.withResolvers<void>()
    for (const [nth, key] of others.entries()) {
      await ledger.admit({ ...admission, key, custom_id: `tx-${nth}` })
      await redis.zadd(`{${shard}}:open`, nth - 1000, key)
    }
    const withdrawn: string[] = []
    const books = {
      withdraw: async ({ key }: PaymentRecord) => {
        withdrawn.push(key)
        if (key !== attempt.key) await never
      },
    } as unknown as Books
    const adopt: AdoptPayment = { takeOver: async () => undefined, askAgain: async () => undefined }
    const sweeper = startSweeper({ ledger, books, adopt, worker: randomUUID(), times, log: silentLog })
    stops.push(sweeper.stop)

    await expect.poll(() => withdrawn, { timeout: 3000 }).toContain(attempt.key)

    release()
  })
})
