import { randomUUID } from 'node:crypto'
import { createLedger, type PaymentRecord } from '@pay/ledger'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { PaymentProcess } from './process-payment.ts'
import { startSweeper } from './sweeper.ts'
import { silentLog, times } from './testing.ts'

// Its own keys, so that files run side by side on one Redis.
const shard = randomUUID()
const redis = new Redis(inject('ledgerRedisUrl'))
const ledger = createLedger({ redis, shard, sendByMs: times.sendByMs, leaseMs: times.leaseMs, retentionMs: 60_000 })
const stops: (() => Promise<void>)[] = []
let attempt = { key: '', attempt: 1 }

beforeEach(async () => {
  attempt = { key: `p_${randomUUID()}`, attempt: 1 }
  await ledger.admit({
    key: attempt.key,
    fingerprint: 'one',
    gateway: 'g1',
    method: 'charge',
    account: '120615000001',
    custom_id: 'tx-1',
    sealedCredentials: 'sealed',
  })
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

afterAll(() => redis.disconnect())

/** Sweeps for a payment process that only remembers what it was given, for the payment of this test. */
function sweep(worker: string) {
  const given: string[] = []
  const remember = (what: string) => async (record: PaymentRecord) => {
    if (record.key === attempt.key) given.push(what)
  }
  const payments: PaymentProcess = {
    processJob: async () => undefined,
    withdraw: remember('withdraw'),
    takeOver: remember('take over'),
    askAgain: remember('ask again'),
  }
  const sweeper = startSweeper({ ledger, payments, worker, times, log: silentLog })
  stops.push(sweeper.stop)
  return given
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

  it('leaves a payment alone that is over', async () => {
    await ledger.withdraw(attempt, { state: 'not_sent' })
    const given = sweep(randomUUID())
    const other = { ...attempt, key: `p_${randomUUID()}` }

    await expect.poll(() => ledger.due(other.key, 1), { timeout: 3000 }).toEqual([])

    expect(given).toEqual([])
  })
})
