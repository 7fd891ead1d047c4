import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Answer, type Body, post, postAndHangUp, visaCharge } from './caller.ts'
import { sumOf } from './metrics.ts'
import { witness } from './simulator.ts'

// A tenth of the real times: SEND_BY 2.2 s, ANSWER_BY 5.5 s; PayConex is away after half a second of silence. (A report of a
// worker counts for a second.)
const TIME_SCALE = 0.1
const OTHER_ACCOUNT = '120615000002'
/** What the service promises for an answer that nothing can be done, while the ledger is up. */
const AT_ONCE_SECONDS = '0.05'

let stack: Stack

afterEach(() => stack?.stop())

type Options = { workers?: number; concurrency?: number; delayMs?: number }

async function start({ workers = 1, concurrency = 100, delayMs = 0 }: Options = {}) {
  const env = { TIME_SCALE: String(TIME_SCALE), LOG_LEVEL: 'error' }
  stack = await startTestStack({ workers, env, workerEnv: { WORKER_CONCURRENCY: String(concurrency) } })
  const payconex = witness(stack.simulator?.url ?? '')
  await payconex.settings({ minDelayMs: delayMs, maxDelayMs: delayMs })
  return payconex
}

const endpoint = () => stack.gateways[0]?.endpoint ?? ''

const gatewayCounts = (name: string, labels?: Record<string, string>) =>
  sumOf(stack.gateways[0]?.opsUrl ?? '', name, labels)

const isCircuitOpen = (nth = 0) => sumOf(stack.workers[nth]?.opsUrl ?? '', 'pay_worker_circuit_state')

/** How many refusals for this reason there were, and how many of them took the gateway at most 50 ms. */
async function refusals(reason: string) {
  const name = 'pay_gateway_refusal_duration_seconds'
  const all = await gatewayCounts(`${name}_count`, { reason })
  return { all, atOnce: await gatewayCounts(`${name}_bucket`, { reason, le: AT_ONCE_SECONDS }) }
}

/** Ten payments that are refused for this reason: which part of them at once. */
async function partRefusedAtOnce(reason: string): Promise<number> {
  const before = await refusals(reason)
  for (let n = 0; n < 10; n += 1) expect((await pay()).code).toBe('not_processed')
  const after = await refusals(reason)
  return (after.atOnce - before.atOnce) / 10
}

/** On a quiet machine it is always all of them; one that also runs other tests should be quiet for a moment at least. */
const expectAtOnce = (reason: string) =>
  expect.poll(() => partRefusedAtOnce(reason), { timeout: 20_000 }).toBeGreaterThanOrEqual(0.9)

type Told = { code: string | null | undefined; ms: number; body: Body }

/** One payment, and how long its caller waited. */
async function pay({ user }: { user?: string } = {}, body = visaCharge()): Promise<Told> {
  const startedAt = performance.now()
  const answer: Answer = await post(endpoint(), body, user === undefined ? {} : { user })
  return { code: answer.body.error_code, ms: performance.now() - startedAt, body }
}

/** Payments that begin one after the other, so many a second, whether or not those before have been answered. */
async function payRegularly({ perSecond, count, user }: { perSecond: number; count: number; user?: string }) {
  const payments: Promise<Told>[] = []
  const startedAt = performance.now()
  for (let n = 0; n < count; n += 1) {
    await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()))
    payments.push(pay(user === undefined ? {} : { user }))
  }
  return Promise.all(payments)
}

const approvedOf = (all: readonly Told[]) => all.filter(({ code }) => code === null)

function percentile(all: readonly Told[], part: number): number {
  const sorted = all.map(({ ms }) => ms).toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

describe('an outage of PayConex', () => {
  it.each([
    ['resets every connection', 'reset_before_commit'],
    ['answers nothing but 503', '503'],
  ])(
    'that %s: callers hear at once that nothing was done, no money moves to find out, and it is over when it is over',
    async (_name, fault) => {
      const payconex = await start({ workers: 2 })
      expect(await pay()).toMatchObject({ code: null })
      await payconex.fault({ fault, on: 'any', share: 1 })
      // A payment that found an id ahead so shortly after an answer would be sent, and what became of it not known (decision 18).
      await sleep(1000 * TIME_SCALE)
      const before = await payconex.books()

      const during = payRegularly({ perSecond: 20, count: 60 })
      await expect.poll(() => Promise.all([isCircuitOpen(0), isCircuitOpen(1)]), { timeout: 10_000 }).toEqual([1, 1])
      await expect.poll(() => gatewayCounts('pay_gateway_shed_total', { reason: 'circuit open' })).toBeGreaterThan(0)
      const open = await payconex.books()
      const refused = await payRegularly({ perSecond: 20, count: 40 })
      const after = await payconex.books()

      for (const { code } of [...(await during), ...refused]) expect(code).toBe('not_processed')
      await expectAtOnce('circuit open')
      const { reserve: probes = 0, ...others } = after.requests
      const { reserve: probesBefore = 0, ...othersBefore } = open.requests
      expect(probes).toBeGreaterThan(probesBefore)
      expect(others).toEqual(othersBefore)
      expect(after.transactions).toEqual(before.transactions)

      await payconex.clearFaults()
      await expect.poll(async () => (await pay()).code, { timeout: 5000 }).toBeNull()
    },
  )

  it('for one worker of two: the other does the work', async () => {
    const payconex = await start({ workers: 1 })
    const nowhere = { PAYCONEX_URL: 'http://127.0.0.1:9', OPS_HOST: '127.0.0.1' }
    await stack.addWorker({ env: nowhere })
    await payRegularly({ perSecond: 20, count: 20 })
    await expect.poll(() => isCircuitOpen(1), { timeout: 10_000 }).toBe(1)
    // Until the one that is cut off rests; a job that it already waits for it may still take.
    await sleep(1000)

    const told = await payRegularly({ perSecond: 20, count: 40 })

    expect(approvedOf(told).length).toBeGreaterThanOrEqual(39)
    expect((await payconex.books()).duplicates).toEqual([])
  })
})

describe('an account that floods while PayConex is slow for it', () => {
  // A machine that is busy with something else foresees for some of them that they cannot be sent in time.
  it('does not starve another one', { retry: 2 }, async () => {
    const payconex = await start({ concurrency: 10 })
    const regularly = { perSecond: 10, count: 30, user: OTHER_ACCOUNT }
    const quiet = await payRegularly(regularly)
    const flood = Array.from({ length: 120 }, () => visaCharge())
    for (const [nth, { transaction_id }] of flood.entries()) {
      await payconex.fault({ fault: 'delay', ms: 300 + 50 * (nth % 9), custom_id: transaction_id })
    }

    const flooding = flood.map((body) => pay({}, body))
    await sleep(300)
    const meanwhile = await payRegularly(regularly)
    const flooded = await Promise.all(flooding)

    // One of the flood ends every 50 ms. Without lanes all 120 would be ahead: 6 s, which is more than SEND_BY.
    expect(approvedOf(meanwhile).length).toBeGreaterThanOrEqual(0.9 * approvedOf(quiet).length)
    expect(percentile(meanwhile, 0.9)).toBeLessThan(percentile(quiet, 0.9) + 700)
    for (const { code } of flooded) expect([null, 'not_processed']).toContain(code)
    expect(approvedOf(flooded).length).toBeGreaterThan(10)
  })
})

describe('five times as many payments as can be made', () => {
  it('as many are made as can be, the others are refused at once, and nothing is left of them', async () => {
    // Two at a time, of 250 ms: at most 8 a second.
    const payconex = await start({ concurrency: 2, delayMs: 250 })
    await payRegularly({ perSecond: 5, count: 10 })
    const memoryBefore = await gatewayCounts('process_resident_memory_bytes')

    const startedAt = performance.now()
    const told = await payRegularly({ perSecond: 40, count: 200 })
    const seconds = (performance.now() - startedAt) / 1000

    const approved = approvedOf(told)
    // Seven a second on a quiet machine.
    expect(approved.length).toBeGreaterThan(3 * seconds)
    for (const { code } of told) expect([null, 'not_processed']).toContain(code)
    expect(await gatewayCounts('pay_gateway_shed_total')).toBeGreaterThan(100)
    const { all, atOnce } = await refusals('account busy')
    expect(atOnce).toBeGreaterThan(all / 2)
    expect(await gatewayCounts('pay_gateway_waiting_tries')).toBe(0)
    expect((await gatewayCounts('process_resident_memory_bytes')) - memoryBefore).toBeLessThan(100 * 1024 * 1024)
    const { transactions, duplicates } = await payconex.books()
    expect(duplicates).toEqual([])
    expect(transactions).toHaveLength(approved.length + 10)
    await expect.poll(async () => (await pay()).code, { timeout: 5000 }).toBeNull()
  })
})

describe('when all workers are gone', () => {
  it('callers hear at once that nothing was done, until there is one again', async () => {
    const payconex = await start()
    expect(await pay()).toMatchObject({ code: null })
    stack.workers[0]?.kill('SIGKILL')
    const noWorker = async () => {
      await pay()
      return gatewayCounts('pay_gateway_shed_total', { reason: 'no worker' })
    }
    await expect.poll(noWorker, { timeout: 10_000 }).toBeGreaterThan(0)

    const refused = await payRegularly({ perSecond: 20, count: 20 })

    for (const { code } of refused) expect(code).toBe('not_processed')
    await expectAtOnce('no worker')
    await stack.addWorker()
    await expect.poll(async () => (await pay()).code, { timeout: 5000 }).toBeNull()
    for (const { body } of refused) expect((await payconex.books(body.transaction_id)).transactions).toEqual([])
  })
})

describe('payments whose callers hung up before a worker came', () => {
  it('are not sent', async () => {
    const payconex = await start({ concurrency: 20 })
    expect(await pay()).toMatchObject({ code: null })
    stack.workers[0]?.kill('SIGSTOP')
    const bodies = Array.from({ length: 20 }, () => visaCharge())

    const heard = await Promise.all(bodies.map((body) => postAndHangUp(endpoint(), body, 200)))
    // Three seconds, a tenth of them, and nobody has come back.
    await sleep(1200)
    stack.workers[0]?.kill('SIGCONT')
    await expect.poll(async () => (await pay()).code, { timeout: 10_000 }).toBeNull()

    expect(new Set(heard)).toEqual(new Set(['silence']))
    for (const { transaction_id } of bodies) expect(await payconex.requests(transaction_id)).toEqual([])
  })
})
