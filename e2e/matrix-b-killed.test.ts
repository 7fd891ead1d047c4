import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { until } from './matrix-payer.ts'
import { charged, openScene, type Points, placeAtPoints, provenAbsent, type Scene } from './matrix-points.ts'
import { everythingIn } from './redis-contents.ts'

/** Group B of the fault matrix (docs/fault-matrix.md): a worker is killed with a payment at every point of its way. */

vi.setConfig({ maxConcurrency: 100 })

let scene: Scene

beforeAll(async () => {
  // SEND_BY 5 s, ANSWER_BY 7 s: that leaves room for the queue to notice a death.
  scene = await openScene({ sendByMs: 50_000, tries: 8 })
})

afterAll(() => scene?.close())

describe('SIGKILL', () => {
  let points: Points

  beforeAll(async () => {
    await scene.keepSpareOut()
    const victim = await scene.victim()
    points = await placeAtPoints(scene)
    victim.kill('SIGKILL')
    await victim.exited
    for (const way of [scene.wayToLedger, scene.wayToPayconex]) {
      way.resetAll()
      await way.heal()
    }
    for (const { payer } of Object.values(points)) await scene.payers.payconex.clearFaults(payer.customId)
    await scene.callSpareIn()
  })

  const cases: [name: string, point: keyof Points, expected: typeof charged][] = [
    ['B24: after it took the job: another worker charges', 'dequeued', charged],
    ['B24: after it opened the payment, while it reserves an id: another worker charges', 'opened', charged],
    ['B24: after it reserved an id, before the fence: another worker charges', 'reserved', charged],
    ['B24: the same, where PayConex honours ids', 'reservedProven', charged],
    ['B25: after the fence, before anything arrives: not sent again, proven absent', 'fenced', provenAbsent],
    ['B25: the same, where PayConex honours ids: sent under the same one', 'fencedProven', charged],
    ['B26: after the request arrived, before it is committed: proven absent', 'written', provenAbsent],
    ['B26: after PayConex committed: found', 'committed', charged],
    ['B26: after the answer, before it is written down: found', 'answered', charged],
  ]

  it.concurrent.each(cases)('%s', async (_name, point, expected) => {
    const { payer, call } = points[point]
    await call
    if (expected === provenAbsent) await payer.prove()

    expect(await payer.books(expected.ledger)).toEqual(expected)
    expect(new Set(await payer.sends()).size).toBeLessThanOrEqual(1)
  })
})

describe('SIGKILL while it erases the sealed payment', () => {
  it('B28: the caller has the answer, the job runs again and changes nothing, nothing stays sealed', async () => {
    await scene.keepSpareOut()
    const victim = await scene.victim()
    const payer = scene.payers.payer()
    await payer.fault({ fault: 'delay', ms: 500 })
    const call = payer.call()
    await payer.arrived('sale')
    await scene.wayToQueue.set({ kind: 'stall' })
    expect(await call).toBe('approved')

    victim.kill('SIGKILL')
    await victim.exited
    scene.wayToQueue.resetAll()
    await scene.wayToQueue.heal()
    expect(await scene.jobsInHand()).toBe(1)
    await scene.callSpareIn()

    expect(await until(async () => (await scene.jobsInHand()) === 0, 8000)).toBe(true)
    expect(await payer.books('approved')).toEqual(charged)
    expect(await payer.sends()).toHaveLength(1)
    const kept = [...(await everythingIn(scene.stack.queue.url)), ...(await everythingIn(scene.stack.ledger.url))].join(
      '\n',
    )
    expect(kept).not.toMatch(/:sealed:|4111111111111111/)
  })
})
