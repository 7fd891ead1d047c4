import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Toxic } from '../scripts/chaos/proxy.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { createCrowd } from './redis-crowd.ts'
import { CHARGED, NOT_SENT, onTheirWay, whenOver } from './redis-journeys.ts'
import { addGatewayWithPaths, addWorkerWithPaths } from './redis-paths.ts'
import { witness } from './simulator.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s. Not shortened: a command to a Redis takes
// 2 s at most, and a connection that is silent for about as long is replaced.
const TIME_SCALE = 0.1

let stack: Stack
let crowd: ReturnType<typeof createCrowd>
let near: Awaited<ReturnType<typeof addGatewayWithPaths>>
let far: Awaited<ReturnType<typeof addWorkerWithPaths>>

beforeAll(async () => {
  stack = await startTestStack({ gateways: 0, workers: 0, env: { TIME_SCALE: String(TIME_SCALE) } })
  crowd = createCrowd(stack, TIME_SCALE)
  ;[near, far] = await Promise.all([addGatewayWithPaths(stack), addWorkerWithPaths(stack)])
})

afterAll(async () => {
  crowd?.close()
  await stack?.stop()
  await Promise.all([near?.close(), far?.close()])
})

const BREAK_MS = 1000

const LOST_QUESTIONS: Toxic = { kind: 'timeout', way: 'to' }
const LOST_ANSWERS: Toxic = { kind: 'timeout', way: 'back' }
const LATE: Toxic = { kind: 'stall' }

const ways: [string, Toxic][] = [
  ['what is asked gets lost', LOST_QUESTIONS],
  ['what is answered gets lost', LOST_ANSWERS],
  ['everything is held back, and comes late', LATE],
]

describe.concurrent('a gateway', () => {
  // The job leaves together with what was sealed for it, so a worker may have both although the gateway does not know.
  it.each([
    ['what is asked gets lost', 'the caller may pay again, and nothing was sent', LOST_QUESTIONS, NOT_SENT],
    ['what is answered gets lost', 'it is paid, and the caller hears it', LOST_ANSWERS, CHARGED],
    ['everything is held back, and comes late', 'the caller may pay again, and nothing was sent', LATE, NOT_SENT],
  ])('D50: that is cut off from the queue, where %s: %s', async (_where, _what, toxic, end) => {
    const { gateway, queue, heal, close } = await addGatewayWithPaths(stack)
    const payer = crowd.payerAt(gateway)
    await queue.set(toxic)

    await payer.call()

    expect(await whenOver(payer)).toEqual(end)
    await heal()
    await gateway.stop()
    await close()
  })

  it.each(ways)(
    'D50: that is cut off from the ledger, where %s: the caller hears the truth when it is back',
    async (_, toxic) => {
      const { gateway, ledger, close } = await addGatewayWithPaths(stack)
      const payer = crowd.payerAt(gateway)
      await ledger.set(toxic)
      const answer = payer.call()

      await sleep(BREAK_MS)
      await ledger.heal()

      await answer
      expect([CHARGED, NOT_SENT]).toContainEqual(await whenOver(payer))
      await gateway.stop()
      await close()
    },
  )
})

describe('a worker', () => {
  it.each(ways)(
    'D50: that is cut off from the ledger, where %s: writes what it knows when it is back',
    async (_, toxic) => {
      const journey = await onTheirWay(() => crowd.payerAt(near.gateway))
      await far.ledger.set(toxic)
      journey.come()

      await sleep(BREAK_MS)
      await far.heal()

      await journey.arriveSafely()
    },
  )
})

describe('ways to both servers that are', () => {
  const all = () => [near.queue, near.ledger, far.queue, far.ledger]

  // A tenth of 100 to 500 ms a call.
  it.each<[string, Toxic[]]>([
    ['slow', [{ kind: 'latency', ms: 5, jitterMs: 20 }]],
    ['narrow, where everything comes in tiny packets', [{ kind: 'slicer', bytes: 40, pauseMs: 0 }]],
  ])('D55: %s: payments go through', async (_, toxics) => {
    await Promise.all(all().map((path) => path.set(...toxics)))
    const payers = Array.from({ length: 5 }, () => crowd.payerAt(near.gateway))

    await Promise.all(payers.map(({ call }) => call()))

    const books = await Promise.all(payers.map(whenOver))
    for (const one of books) expect([CHARGED, NOT_SENT]).toContainEqual(one)
    expect(books).toContainEqual(CHARGED)
    await Promise.all(all().map((path) => path.heal()))
  })

  it('D55: reset again and again: every caller hears the truth', async () => {
    const resetting = setInterval(() => {
      for (const path of all()) path.resetAll()
    }, 150)
    const payers = Array.from({ length: 5 }, () => crowd.payerAt(near.gateway))
    const calls = payers.map(({ call }) => call())

    await sleep(BREAK_MS)
    clearInterval(resetting)

    await Promise.all(calls)
    for (const payer of payers) expect([CHARGED, NOT_SENT]).toContainEqual(await whenOver(payer))
  })

  it('D55: slower than a permission to send may be old: nothing is sent, and the caller may pay again', async () => {
    await far.ledger.set({ kind: 'latency', ms: 150, way: 'back' })
    const payer = crowd.payerAt(near.gateway)

    await payer.call()

    expect(await whenOver(payer)).toEqual(NOT_SENT)
    expect(await payer.requests('sale')).toEqual([])
    await far.heal()
  })
})

describe('a worker that waits for work', () => {
  it('D50: cut off from the queue without a word: goes on with what it has, and finds the queue again', async () => {
    const journey = await onTheirWay(() => crowd.payerAt(near.gateway))
    await far.queue.set({ kind: 'timeout' })
    journey.come()

    await sleep(BREAK_MS)
    await far.heal()

    await journey.arriveSafely()
    await expect.poll(() => crowd.payerAt(near.gateway).call(), { timeout: 12_000 }).toBe('approved')
  })
})

describe('afterwards', () => {
  it('nobody was charged twice', async () => {
    expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
  })
})
