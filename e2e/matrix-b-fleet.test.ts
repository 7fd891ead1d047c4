import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { visaCharge } from './caller.ts'
import { type OddWorker, startOddWorker } from './matrix-odd-worker.ts'
import { createPayers, type Payer, until } from './matrix-payer.ts'

/** Group B of the fault matrix (docs/fault-matrix.md): workers that are gone, leave, or lack what a process needs. */

const charged = { heard: 'approved', ledger: 'approved', charged: 1, returned: 0 }
const notSent = { heard: 'not_processed', ledger: 'not_sent', charged: 0, returned: 0 }

describe('all workers gone, and back', () => {
  // A fiftieth of the real times: ten minutes are 12 s, SEND_BY 0.44 s, ANSWER_BY 1.1 s, an absence is proven after 1.6 s.
  const TIME_SCALE = 0.02
  const TEN_MINUTES_MS = 600_000 * TIME_SCALE
  let stack: Stack
  let payers: ReturnType<typeof createPayers>
  let unanswered: Payer
  let waiting: Payer[]
  let committed: Payer
  let uncommitted: Payer
  let goneAt: number

  beforeAll(async () => {
    stack = await startTestStack({
      gateways: 2,
      workers: 1,
      env: { TIME_SCALE: String(TIME_SCALE), ABSENCE_MARGIN_MS: '50000' },
    })
    payers = createPayers({ stack, timeScale: TIME_SCALE })
    committed = await sentUnder('lose_answer')
    uncommitted = await sentUnder('hang')
    stack.workers[0]?.kill('SIGKILL')
    goneAt = performance.now()
    waiting = [payers.payer(), payers.payer(), payers.payer()]
    await Promise.all(waiting.map((payer) => payer.call()))
    // Nobody is left to say that it was not sent: the gateway that took it is gone, too.
    unanswered = payers.payer()
    void unanswered.tryOnce()
    await unanswered.reaches('accepted')
    stack.gateways[0]?.kill('SIGKILL')
  })

  afterAll(async () => {
    payers?.close()
    await stack?.stop()
  })

  /** A payment that PayConex has and does not answer, of an account for which it is known to honour reserved ids. Here SEND_BY is
   * half a second: on a busy machine one may come too late. */
  async function sentUnder(fault: string): Promise<Payer> {
    for (;;) {
      const payer = payers.payer()
      if ((await payers.payer(visaCharge, payer.account).call()) !== 'approved') continue
      await payer.fault({ fault })
      void payer.tryOnce()
      if (await until(async () => (await payer.sends()).length > 0, 1000, 20)) return payer
    }
  }

  it('B32: ten minutes later they are back, with all the old jobs: none of them is charged', async () => {
    await sleep(goneAt + TEN_MINUTES_MS - performance.now())
    await stack.addWorker()

    expect(await unanswered.books('not_sent')).toEqual({ ...notSent, heard: 'silence' })
    expect(await committed.books('approved')).toEqual({ ...charged, heard: 'silence' })
    expect(await uncommitted.books('not_sent')).toEqual({ ...notSent, heard: 'silence' })
    for (const payer of waiting) {
      expect(await payer.books('not_sent')).toMatchObject({ ledger: 'not_sent', charged: 0 })
      expect(await payer.requests('reserve')).toEqual([])
    }
  })
})

describe('a worker', () => {
  // Callers are patient here: on a busy machine a worker takes some seconds to start.
  const TIME_SCALE = 0.1
  const TRIES = 12
  const env = { TIME_SCALE: String(TIME_SCALE), ANSWER_BY_MS: '120000', TRIES: String(TRIES) }
  const folder = mkdtempSync(join(tmpdir(), 'pay-matrix-'))
  let stack: Stack
  let payers: ReturnType<typeof createPayers>
  let odd: OddWorker | undefined

  beforeAll(async () => {
    stack = await startTestStack({ gateways: 1, workers: 0, env })
    payers = createPayers({ stack, timeScale: TIME_SCALE, tries: TRIES })
  })

  afterEach(async () => {
    await odd?.stop()
    odd = undefined
    await Promise.all(stack.workers.map((worker) => worker.stop()))
  })

  afterAll(async () => {
    payers?.close()
    await stack?.stop()
    rmSync(folder, { recursive: true })
  })

  it('B31: that is not there: nothing is sent, and that is what callers hear', async () => {
    const some = [payers.payer(), payers.payer(), payers.payer()]
    await Promise.all(some.map((payer) => payer.call()))

    for (const payer of some) expect(await payer.books('not_sent')).toEqual(notSent)
  })

  it('B33: asked to end, with payments at every point: it hears PayConex out, leaves the rest, and exits with 0', async () => {
    const first = await startWorker()
    const [reserving, sending, asking] = [payers.payer(), payers.payer(), payers.payer()]
    await reserving.fault({ fault: 'delay', ms: 300, on: 'reserve' })
    await sending.fault({ fault: 'delay', ms: 900 })
    await asking.fault({ fault: 'reset_after_commit' })
    await asking.fault({ fault: '500', on: 'status', share: 1, label: asking.customId })
    const calls = [asking, sending, reserving].map((payer) => payer.call())
    await Promise.all([asking.arrived('status'), sending.arrived('sale'), reserving.arrived('reserve')])

    const ended = first.stop()
    await stack.addWorker()
    await payers.payconex.clearFaults(asking.customId)

    expect(await ended).toEqual({ code: 0, signal: null })
    expect(await Promise.all(calls)).toEqual(['approved', 'approved', 'approved'])
    for (const payer of [reserving, sending, asking]) expect(await payer.books('approved')).toEqual(charged)
  })

  it('B33: given too little time to end, and killed: its payment is found by another, charged once', async () => {
    const first = await startWorker()
    const payer = payers.payer()
    await payer.fault({ fault: 'delay', ms: 1500 })
    const call = payer.call()
    await payer.arrived('sale')

    const ended = await first.stop(300)
    await stack.addWorker()

    expect(ended.signal).toBe('SIGKILL')
    expect(await call).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
  })

  it('B35: that may open only so many files: charges what it can connect for, and the rest is not sent', async () => {
    odd = await startOddWorker(stack, 'ulimit -n 40 && exec "$@"')
    expect(await payers.isServed()).toBe(true)
    const many = Array.from({ length: 40 }, () => payers.payer())
    for (const payer of many) await payer.fault({ fault: 'delay', ms: 2500 })

    const heard = await Promise.all(many.map((payer) => payer.call()))

    expect(new Set(heard)).toEqual(new Set(['approved', 'not_processed']))
    for (const payer of many) expect([charged, notSent]).toContainEqual(await payer.books('approved', 'not_sent'))
    expect(odd.lines.some((line) => line.includes('EMFILE'))).toBe(true)
    expect(await charges(payers.payer())).toEqual(charged)
  })

  it.runIf(existsSync('/dev/full'))('B35: whose log goes to a full disk: charges all the same', async () => {
    odd = await startOddWorker(stack, 'exec "$@" > /dev/full 2>&1')

    expect(odd.isReady).toBe(true)
    expect(await payers.isServed()).toBe(true)
    expect(await charges(payers.payer())).toEqual(charged)
    expect(await odd.stop()).toEqual({ code: 0, signal: null })
  })

  it('B35: whose log nobody reads any more: charges all the same', async () => {
    const pipe = join(folder, 'log')
    odd = await startOddWorker(stack, `mkfifo ${pipe}; head -n 1 < ${pipe} > /dev/null & exec "$@" > ${pipe} 2>&1`)

    expect(odd.isReady).toBe(true)
    expect(await payers.isServed()).toBe(true)
    expect(await charges(payers.payer())).toEqual(charged)
    expect(await odd.stop()).toEqual({ code: 0, signal: null })
  })

  async function startWorker() {
    const worker = await stack.addWorker()
    expect(await payers.isServed()).toBe(true)
    return worker
  }

  async function charges(payer: Payer) {
    await payer.call()
    return payer.books('approved')
  }
})
