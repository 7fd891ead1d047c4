import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Worker } from '../scripts/stack/stack.ts'
import {
  charged,
  openScene,
  type Points,
  placeAtPoints,
  provenAbsent,
  type Scene,
  TIME_SCALE,
} from './matrix-points.ts'

/** Group B of the fault matrix (docs/fault-matrix.md): a worker is stopped with a payment at every point of its way, and wakes up.
 * From outside a blocked event loop, a long collection of garbage and a frozen machine are the same: timers, locks and leases
 * run out, and then all goes on as if nothing had been. */

vi.setConfig({ maxConcurrency: 100 })

let scene: Scene

beforeAll(async () => {
  // SEND_BY 4 s, ANSWER_BY 6 s.
  scene = await openScene({ sendByMs: 40_000, tries: 7 })
})

afterAll(() => scene?.close())

const notProcessed = { heard: 'not_processed', ledger: 'not_sent', charged: 0, returned: 0 }

// Before anything is sent there are two true ends: somebody still sends it by SEND_BY, or nobody ever does.
const chargedOrNot = [charged, notProcessed]

const cases: [name: string, point: keyof Points, expected: (typeof charged)[]][] = [
  ['after it took the job: charged once or never', 'dequeued', [...chargedOrNot, provenAbsent]],
  ['after it opened the payment: charged once or never', 'opened', chargedOrNot],
  ['with the fence on its way, which arrives: charged once or never', 'reserved', [...chargedOrNot, provenAbsent]],
  ['the same, where PayConex honours ids', 'reservedProven', [...chargedOrNot, provenAbsent]],
  ['after the fence, its request on the way, which arrives: charged once', 'fenced', [charged]],
  ['with a request that PayConex never commits: proven absent', 'written', [provenAbsent]],
  ['after PayConex committed: charged once', 'committed', [charged]],
  ['with its answer on the way to the ledger: charged once', 'answered', [charged]],
]

const statesOf = (expected: (typeof charged)[]) => expected.map(({ ledger }) => ledger)

describe.each([
  ['B29: SIGSTOP for 5 s', 5],
  ['B29, B30: SIGSTOP for 40 s, as long as its locks and leases do not last', 40],
  ['B29: SIGSTOP for 120 s, past every deadline', 120],
])('%s', (_name, seconds) => {
  let points: Points
  let victim: Worker

  beforeAll(async () => {
    await scene.keepSpareOut()
    victim = await scene.victim()
    points = await placeAtPoints(scene)
    victim.kill('SIGSTOP')
    // What it had sent by then arrives.
    await Promise.all([scene.wayToLedger.heal(), scene.wayToPayconex.heal()])
    for (const { payer } of Object.values(points)) await scene.payers.payconex.clearFaults(payer.customId)
    await scene.callSpareIn()
    await sleep(seconds * 1000 * TIME_SCALE)
    victim.kill('SIGCONT')
  })

  it.concurrent.each(cases)('%s', async (_name, point, expected) => {
    const { payer, call } = points[point]
    await call
    if (expected.includes(provenAbsent)) await payer.prove()

    expect(expected).toContainEqual(await payer.books(...statesOf(expected)))
  })

  it('afterwards: whatever it did when it woke up, it has changed nothing', async () => {
    expect((await victim.stop()).code).toBe(0)

    for (const [, point, expected] of cases) {
      const { payer } = points[point]
      expect(expected).toContainEqual(await payer.books(...statesOf(expected)))
      expect(new Set(await payer.sends()).size).toBeLessThanOrEqual(1)
    }
    expect((await scene.payers.payconex.books()).duplicates).toEqual([])
  })
})
