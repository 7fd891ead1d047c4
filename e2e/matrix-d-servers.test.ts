import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRedis } from '../scripts/redis/redis.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import type { Payer } from './matrix-payer.ts'
import { createCrowd } from './redis-crowd.ts'
import { CHARGED, NOT_SENT, onTheirWay, whenOver } from './redis-journeys.ts'
import { openSealed } from './redis-sealed.ts'
import { witness } from './simulator.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1

let stack: Stack
let crowd: ReturnType<typeof createCrowd>

beforeAll(async () => {
  stack = await startTestStack({ gateways: 1, workers: 1, env: { TIME_SCALE: String(TIME_SCALE) } })
  crowd = createCrowd(stack, TIME_SCALE)
})

afterAll(async () => {
  crowd?.close()
  await stack?.stop()
})

const payerAt = () => crowd.payerAt(stack.gateways[0])

let takeBack = async () => undefined as unknown

afterEach(() => takeBack())

/** Tells a server to be configured otherwise, until that is taken back, at the latest by the end of the test. */
async function configure({ url }: RunningRedis, setting: string, value: string): Promise<void> {
  const redis = new Redis(url)
  await redis.config('SET', setting, value)
  takeBack = async () => {
    await redis.config('SET', setting, '0')
    redis.disconnect()
    takeBack = async () => undefined
  }
}

describe.each(['queue', 'ledger'] as const)('the %s', (name) => {
  it('D47: killed under load, and back: whatever it had acknowledged is kept, and every caller hears the truth', async () => {
    const payers = Array.from({ length: 40 }, payerAt)
    const calls = payers.map(async ({ call }, nth) => {
      await sleep(nth * 25)
      return call()
    })

    await sleep(400)
    await stack[name].kill()
    await sleep(200)
    await stack[name].restart()

    await Promise.all(calls)
    for (const payer of payers) expect([CHARGED, NOT_SENT]).toContainEqual(await whenOver(payer))
  })

  // A tenth of 3 s and of 20 s.
  it.each([300, 2000])(
    'D49: frozen for %i ms: nothing is sent without a fence, and every caller hears the truth',
    async (ms) => {
      const journey = await onTheirWay(payerAt)
      await stack[name].pause()
      journey.come()

      await sleep(ms)
      await stack[name].resume()

      await journey.arriveSafely()
    },
  )
})

describe('a ledger that refuses to write', () => {
  it.each([
    ['its memory is full', 'maxmemory', '1'],
    // Refuses in the same way as after a write to its file has failed, which nobody can make happen everywhere.
    ['it may not', 'min-replicas-to-write', '1'],
  ])('D52: because %s: nothing is sent, and what is known is written when it may again', async (_, setting, value) => {
    const journey = await onTheirWay(payerAt)
    await configure(stack.ledger, setting, value)
    journey.come()

    await sleep(1000)
    await takeBack()

    await journey.arriveSafely()
  })
})

describe('a queue whose memory is full', () => {
  it('D52: takes nothing more: the caller may pay again, and what is under way is finished', async () => {
    const journey = await onTheirWay(payerAt)
    await configure(stack.queue, 'maxmemory', '1')
    const payer = payerAt()

    await payer.call()

    expect(await whenOver(payer)).toEqual(NOT_SENT)
    await takeBack()
    journey.come()
    await journey.arriveSafely()
  })
})

describe('a sealed payment', () => {
  it('D56: lost, altered, another one’s or sealed with an unknown key is not sent, and others are not held up', async () => {
    const sealed = openSealed(stack.queue.url)
    const [lost, altered, moved, unknown, untouched] = [payerAt(), payerAt(), payerAt(), payerAt(), payerAt()]
    const payers = [lost, altered, moved, unknown, untouched]
    stack.workers[0]?.kill('SIGSTOP')
    const calls = payers.map(({ call }) => call())
    for (const payer of payers) await expect.poll(() => sealed.of(payer), { interval: 10 }).toBeDefined()

    const textOf = async (payer: Payer) => (await sealed.of(payer)) ?? ''
    await sealed.remove(lost)
    await sealed.replace(altered, (await textOf(altered)).replace(/.{8}$/, 'AAAAAAAA'))
    await sealed.replace(moved, await textOf(untouched))
    await sealed.replace(unknown, (await textOf(unknown)).replace('k1', 'k9'))
    stack.workers[0]?.kill('SIGCONT')

    await Promise.all(calls)
    const books = await Promise.all(payers.map(whenOver))
    expect(books).toEqual([NOT_SENT, NOT_SENT, NOT_SENT, NOT_SENT, CHARGED])
    expect(stack.logs.join('\n')).not.toMatch(/4111/)
    sealed.close()
  })
})

describe('a ledger that refuses to write down an outcome', () => {
  it('D52: is asked until it may again by the worker that alone knows the outcome', async () => {
    // Without an id that was fetched beforehand nobody could ask PayConex for it.
    await stack.workers.at(-1)?.stop()
    await stack.addWorker({ env: { PAYCONEX_RESERVE: 'off' } })
    await expect.poll(() => payerAt().call(), { timeout: 10_000 }).toBe('approved')
    const payer = payerAt()
    await payer.fault({ fault: 'delay', ms: 500 })
    const answer = payer.call()
    await payer.arrived('sale')
    await configure(stack.ledger, 'min-replicas-to-write', '1')

    await sleep(1000)
    await takeBack()

    expect(await answer).toBe('approved')
    expect(await whenOver(payer)).toEqual(CHARGED)
  })
})

describe('afterwards', () => {
  it('nobody was charged twice', async () => {
    expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
  })
})
