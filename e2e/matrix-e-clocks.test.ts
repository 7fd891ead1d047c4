import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type ClockPath, openClockPath } from './clock-path.ts'
import { createCrowd } from './redis-crowd.ts'
import { CHARGED, NOT_SENT, whenOver } from './redis-journeys.ts'
import { witness } from './simulator.ts'

// A tenth of these times: tries of 1 s, SEND_BY 1.5 s, PayConex 1 s, ANSWER_BY 2.5 s. An absence is proven after 61 s, or after an
// hour that was not one.
const TIME_SCALE = 0.1
const times = {
  TIME_SCALE: '0.1',
  TRIES: '3',
  SEND_BY_MS: '15000',
  PAYCONEX_TIMEOUT_MS: '10000',
  ANSWER_BY_MS: '25000',
}
const HOUR = 60 * 60 * 1000

let stack: Stack
let crowd: ReturnType<typeof createCrowd>
let clock: ClockPath

beforeAll(async () => {
  stack = await startTestStack({ gateways: 0, workers: 0, env: times })
  clock = await openClockPath(stack.ledger.url)
  crowd = createCrowd(stack, TIME_SCALE)
  const env = {
    LEDGER_REDIS_URL: clock.url,
    NODE_OPTIONS: `--import=${new URL('./clock-jumping.ts', import.meta.url).href}`,
  }
  await Promise.all([stack.addGateway({ env }), stack.addWorker({ env })])
})

afterAll(async () => {
  crowd?.close()
  await stack?.stop()
  clock?.close()
})

const payerAt = () => crowd.payerAt(stack.gateways[0])

/** Charged, and told so, or told that it is not known. */
const orUnconfirmed = [CHARGED, { ...CHARGED, heard: 'unconfirmed' }]

describe('clocks that jump', () => {
  it('E57: of a gateway and a worker, by two hours several times a second: payments go through', async () => {
    const payers = Array.from({ length: 5 }, payerAt)
    for (const payer of payers) await payer.fault({ fault: 'delay', ms: 400 })

    await Promise.all(payers.map(({ call }) => call()))

    expect(await Promise.all(payers.map(whenOver))).toEqual(payers.map(() => CHARGED))
  })

  it.each([
    ['an hour forward', HOUR],
    ['an hour back', -HOUR],
  ])(
    'E57: of the ledger, %s: what is not sent yet stays unsent, what is sent is charged once, and nobody hears a lie',
    async (_, jump) => {
      const [reserving, sending, late] = [payerAt(), payerAt(), payerAt()]
      // PayConex commits it when we have long given up waiting, and knows nothing of it until then.
      await late.fault({ fault: 'delay', ms: 5500 })
      expect(await late.call()).toBe('unconfirmed')
      await reserving.fault({ fault: 'delay', ms: 400, on: 'reserve' })
      await sending.fault({ fault: 'delay', ms: 600 })
      const calls = [reserving.call(), sending.call()]
      await Promise.all([reserving.arrived('reserve'), sending.arrived('sale')])

      clock.jump(jump)

      await Promise.all(calls)
      expect([CHARGED, NOT_SENT]).toContainEqual(await whenOver(reserving))
      expect(orUnconfirmed).toContainEqual(await whenOver(sending))
      const next = payerAt()
      await next.call()
      expect(await whenOver(next)).toEqual(CHARGED)
      // When it is to be asked about again was written down by the old clock, so that is when the new one comes there.
      if (jump < 0) clock.jump(-jump)
      expect(await whenOver(late)).toEqual({ ...CHARGED, heard: 'unconfirmed' })
    },
  )
})

describe('afterwards', () => {
  it('nobody was charged twice', async () => {
    expect((await witness(stack.simulator?.url ?? '').books()).duplicates).toEqual([])
  })
})
