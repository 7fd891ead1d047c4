import { randomBytes, randomUUID } from 'node:crypto'
import type { Ledger } from '@pay/ledger'
import { sealKeys } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest'
import { openTestLedger } from '../../../packages/ledger/src/testing.ts'
import { showLedger } from './show-ledger.ts'
import { surveyLedger } from './survey-ledger.ts'
import { listeningLog } from './testing.ts'

const redis = new Redis(inject('ledgerRedisUrl'))
const stops: (() => void)[] = []

afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

afterAll(() => redis.disconnect())

const EVERY_MS = 20

/** A shard of its own, by a clock that the test sets. */
async function openShard() {
  const [shard, time] = [randomUUID(), { ms: 1_000_000 }]
  const ledger = await openTestLedger({ redis, shard, now: () => time.ms })
  return { shard, time, ledger }
}

/** One worker's count of it, and the numbers that Prometheus would read there. */
function count(worker: string, { shard, ledger }: { shard: string; ledger: Pick<Ledger, 'survey'> }) {
  const registry = new Registry()
  const { log, lines } = listeningLog()
  const keys = sealKeys.parse(`k1:${randomBytes(32).toString('base64')}`)
  const show = showLedger(registry)
  const stop = surveyLedger({ ledger, worker, shard, sealKeys: keys, times: { surveyMs: EVERY_MS }, show, log })
  stops.push(stop)
  return { shows: async () => (await registry.metrics()).match(/^pay_.*/gm) ?? [], stop, keys, lines }
}

const soon = { timeout: 3000, interval: EVERY_MS }

describe('what is on the ledger', () => {
  it('is shown by the worker that sweeps, and by nobody else', async () => {
    const shard = await openShard()
    await shard.ledger.due('w1', 1)

    const [one, two] = [count('w1', shard), count('w2', shard)]

    await expect.poll(one.shows, soon).toContain(`pay_ledger_payments{shard="${shard.shard}",state="review"} 0`)
    expect(await two.shows()).toEqual([])
  })

  it('vanishes from a worker when another one sweeps', async () => {
    const shard = await openShard()
    await shard.ledger.due('w1', 1)
    const [one, two] = [count('w1', shard), count('w2', shard)]
    await expect.poll(one.shows, soon).not.toEqual([])

    shard.time.ms += 5000
    await shard.ledger.due('w2', 1)

    await expect.poll(one.shows, soon).toEqual([])
    await expect.poll(two.shows, soon).not.toEqual([])
  })

  it('vanishes while the ledger does not answer, and the log says why', async () => {
    const shard = await openShard()
    await shard.ledger.due('w1', 1)
    let isAway = false
    const survey: Ledger['survey'] = async (...asked) => {
      if (isAway) throw new Error('away')
      return shard.ledger.survey(...asked)
    }
    const one = count('w1', { ...shard, ledger: { survey } })
    await expect.poll(one.shows, soon).not.toEqual([])

    isAway = true

    await expect.poll(one.shows, soon).toEqual([])
    expect(one.lines).toContainEqual([
      'warn',
      { event: 'ledger.silent', step: 'survey', reason: 'Error' },
      expect.any(String),
    ])
  })

  it('vanishes when the worker stops, at once and for good', async () => {
    const shard = await openShard()
    await shard.ledger.due('w1', 1)
    const one = count('w1', shard)
    await expect.poll(one.shows, soon).not.toEqual([])

    one.stop()

    expect(await one.shows()).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 3 * EVERY_MS))
    expect(await one.shows()).toEqual([])
  })

  it('has the age of each key in use, also of one that came later', async () => {
    const shard = await openShard()
    await shard.ledger.due('w1', 1)
    const one = count('w1', shard)
    await expect.poll(one.shows, soon).toContain(`pay_ledger_seal_key_age_seconds{shard="${shard.shard}",key="k1"} 0`)
    Object.assign(one.keys, sealKeys.parse(`k2:${randomBytes(32).toString('base64')}`))
    shard.time.ms += 3000
    await shard.ledger.due('w1', 1)

    await expect.poll(one.shows, soon).toContain(`pay_ledger_seal_key_age_seconds{shard="${shard.shard}",key="k2"} 0`)
    expect((await one.shows()).join()).not.toContain('k1')
  })
})
