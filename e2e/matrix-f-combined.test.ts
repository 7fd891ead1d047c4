import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { visaCharge } from './caller.ts'
import { type Payer, type ThreeBooks, until } from './matrix-payer.ts'
import { createCrowd } from './redis-crowd.ts'
import { CHARGED, whenOver } from './redis-journeys.ts'
import { witness } from './simulator.ts'

// A tenth of these times: SEND_BY 1.5 s, PayConex 1 s, ANSWER_BY 2.5 s; after 3 s nobody listens, after 1.5 s an absence is proven.
const TIME_SCALE = 0.1
const env = {
  TIME_SCALE: String(TIME_SCALE),
  TRIES: '3',
  SEND_BY_MS: '15000',
  PAYCONEX_TIMEOUT_MS: '10000',
  ANSWER_BY_MS: '25000',
  ABSENCE_MARGIN_MS: '5000',
  REPEAT_AFTER_MS: '3000',
  LATE_APPROVAL: 'reverse',
  // Whoever asks PayConex for an id is a payment, or a reversal, at this point of its way.
  IDS_AHEAD: '0',
}

let stack: Stack
let payconex: ReturnType<typeof witness>
let callers: ReturnType<typeof createCrowd>

beforeAll(async () => {
  stack = await startTestStack({ workers: 1, env })
  payconex = witness(stack.simulator?.url ?? '')
  callers = createCrowd(stack, TIME_SCALE)
})

afterEach(async () => {
  expect((await payconex.books()).duplicates).toEqual([])
})

afterAll(async () => {
  callers?.close()
  await stack?.stop()
})

const REVERSED: ThreeBooks = { charged: 1, returned: 1, ledger: 'reversed', heard: 'silence' }

/** Charged, and nobody has heard of it. */
async function unheard(account?: string): Promise<Payer> {
  const payer = callers.payerAt(stack.gateways[0], visaCharge(), account)
  await payer.fault({ fault: 'delay', ms: 750 })
  expect(await payer.tryOnce(0, 400)).toBe('silence')
  await payer.reaches('approved')
  return payer
}

/** Of an account with a reversal PayConex is known to honour the ids that are reserved for others. */
async function accountWithReversal(): Promise<string> {
  const payer = await unheard()
  expect(await payer.books('reversed')).toEqual(REVERSED)
  return payer.account
}

async function replaceWorker(): Promise<void> {
  const last = stack.workers.at(-1)
  const starting = stack.addWorker()
  last?.kill('SIGKILL')
  await starting
}

describe('at once', () => {
  it.each(['queue', 'ledger'] as const)(
    'F63: PayConex charges and loses its answer, the worker is killed, and so is the %s: one charge, and the truth',
    async (name) => {
      const payer = callers.payerAt(stack.gateways[0])
      await payer.fault({ fault: 'lose_answer' })
      const answer = payer.call()
      await until(async () => (await payer.charges()).length === 1, 5000, 10)

      stack.workers.at(-1)?.kill('SIGKILL')
      await stack[name].kill()
      await stack[name].restart()
      await stack.addWorker()

      await answer
      const books = await whenOver(payer)
      expect([CHARGED, { ...CHARGED, heard: 'unconfirmed' }, { ...REVERSED, heard: 'unconfirmed' }]).toContainEqual(
        books,
      )
    },
  )
})

describe('whoever undoes a charge that nobody has heard of', () => {
  it('F64: is killed in each of its steps: one reversal, whoever goes on', async () => {
    const account = await accountWithReversal()
    const [reserving, asking, told] = await Promise.all([unheard(), unheard(account), unheard()])
    await reserving.fault({ fault: 'hang', on: 'reserve' })
    await asking.fault({ fault: 'hang', on: 'reversal' })
    await told.fault({ fault: 'lose_answer', on: 'reversal' })
    await Promise.all([reserving.arrived('reserve', 2), asking.arrived('reversal', 2), told.arrived('reversal')])

    await replaceWorker()

    expect(await Promise.all([reserving, asking, told].map((payer) => payer.books('reversed')))).toEqual([
      REVERSED,
      REVERSED,
      REVERSED,
    ])
    expect(await callers.again(stack.gateways[0], told).call()).toBe('not_processed')
  })

  it('F64: is killed while it asks about a payment that is not known: whoever goes on finds its charge', async () => {
    const payer = callers.payerAt(stack.gateways[0])
    await payer.fault({ fault: 'lose_answer' })
    await payer.fault({ fault: 'hang', on: 'status', share: 1, label: payer.account })
    expect(await payer.call()).toBe('unconfirmed')
    const asked = (await payer.requests('status')).length
    await payer.arrived('status', asked + 1)

    await replaceWorker()
    await payconex.clearFaults(payer.account)

    // Told that it is not known, so it is kept.
    expect(await payer.books('approved')).toEqual({ ...CHARGED, heard: 'unconfirmed' })
  })

  it('F64: is paused meanwhile, and there are two: one reversal', async () => {
    const payer = await unheard()
    await payer.fault({ fault: 'delay', ms: 300, on: 'reserve' })
    await payer.arrived('reserve', 2)
    const paused = stack.workers.at(-1)
    paused?.kill('SIGSTOP')

    await stack.addWorker()
    expect(await payer.books('reversed')).toEqual(REVERSED)
    paused?.kill('SIGCONT')

    await paused?.stop()
    expect(await payer.requests('reversal')).toHaveLength(1)
    expect(await payer.books('reversed')).toEqual(REVERSED)
  })

  it('F64: leaves a charge alone whose caller asks again in time', async () => {
    const payer = await unheard()

    const again = callers.again(stack.gateways[0], payer)
    await again.call()

    await until(async () => (await payer.requests('reversal')).length > 0, 3500)
    expect(await again.books('approved')).toEqual(CHARGED)
  })
})
