import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { declinedCharge, post, visaCharge, visaTokenize } from './caller.ts'
import { createPayers, type Payer, until } from './matrix-payer.ts'
import { everythingIn } from './redis-contents.ts'
import { SHORT_TIMES, TIME_SCALE } from './short-times.ts'

/** However a payment ends, nothing of it is left on the queue, and the ledger keeps no credentials for it. */

vi.setConfig({ maxConcurrency: 100 })

// What is sealed would live for 25 s: whatever is gone before has been erased, and has not just expired.
const LONG_TIMES = { SEND_BY_MS: '20000', PAYCONEX_TIMEOUT_MS: '10000', ANSWER_BY_MS: '250000', TRIES: '26' }

type World = Awaited<ReturnType<typeof openWorld>>

let patient: World
let hasty: World

beforeAll(async () => {
  const worlds = await Promise.all([
    openWorld(LONG_TIMES, { gateways: 2, workers: 2 }),
    openWorld(SHORT_TIMES, { workers: 1 }),
  ])
  ;[patient, hasty] = worlds
})

afterAll(() => Promise.all([patient?.close(), hasty?.close()]))

async function openWorld(times: typeof LONG_TIMES, crew: { gateways?: number; workers: number }) {
  const stack = await startTestStack({ ...crew, env: { TIME_SCALE: String(TIME_SCALE), ...times } })
  const payers = createPayers({ stack, timeScale: TIME_SCALE, tries: Number(times.TRIES) })
  await payers.isServed()
  const close = async () => {
    payers.close()
    await stack.stop()
  }
  return { stack, payers, close, ...createLooks(stack) }
}

const LIMIT_MS = 25_000

function createLooks(stack: Stack) {
  /** What the queue holds of a payment. Only in the stream of BullMQ's events is its key still named, and no more than that. */
  async function leftOf(payer: Payer): Promise<string[]> {
    const key = String((await payer.record())?.key.split(':payment:')[1])
    const kept = await everythingIn(stack.queue.url)
    return kept.filter((text) => text.includes(key) && !text.startsWith('{s0}:payments:events '))
  }

  const hasCredentials = async (payer: Payer) => 'credentials' in ((await payer.record()) ?? {})

  async function isErased(payer: Payer): Promise<void> {
    await until(async () => (await leftOf(payer)).length === 0, LIMIT_MS)
    expect(await leftOf(payer)).toEqual([])
  }

  /** Waits for the payment to end like this (or like this), then for everything of it to be gone from the queue. */
  async function endsErased(payer: Payer, ...states: string[]): Promise<void> {
    await until(async () => states.includes((await payer.record())?.state ?? ''), LIMIT_MS)
    expect(states).toContain((await payer.record())?.state)
    await isErased(payer)
  }

  async function endsWithNothingLeft(payer: Payer, state: string): Promise<void> {
    await endsErased(payer, state)
    await until(async () => !(await hasCredentials(payer)), LIMIT_MS)
    expect(await hasCredentials(payer)).toBe(false)
  }

  /** Of a payment that has not come to its end: something must still be asked. */
  async function keepsOnlyCredentials(payer: Payer, state: string): Promise<void> {
    await isErased(payer)
    expect((await payer.record())?.state).toBe(state)
    expect(await hasCredentials(payer)).toBe(true)
  }

  return { endsErased, endsWithNothingLeft, keepsOnlyCredentials }
}

async function paysAndIsNotFound(payer: Payer): Promise<void> {
  await payer.fault({ fault: 'lose_answer' })
  await payer.fault({ fault: '500', on: 'status', share: 1, label: payer.customId })
  expect(await payer.call()).toBe('unconfirmed')
}

describe.concurrent('nothing is left sealed, queued, or kept to ask with, of a payment', () => {
  it.each([
    ['that was approved', visaCharge, 'approved'],
    ['that was stored', visaTokenize, 'approved'],
    ['that was declined', declinedCharge, 'declined'],
  ])('%s', async (_, make, state) => {
    const payer = patient.payers.payer(make)

    await payer.call()

    await patient.endsWithNothingLeft(payer, state)
  })

  it('that PayConex refused when asked for an id', async () => {
    const payer = patient.payers.payer()
    await payer.fault({ fault: '401', on: 'reserve', share: 1 })

    expect(await payer.call()).toBe('20401')

    await patient.endsWithNothingLeft(payer, 'declined')
  })

  it('that a person must look at', async () => {
    const payer = patient.payers.payer()
    await payer.fault({ fault: 'other_id' })

    expect(await payer.call()).toBe('unconfirmed')

    await patient.endsWithNothingLeft(payer, 'review')
  })

  it('that could not be sent in time', async () => {
    const payer = patient.payers.payer()
    await payer.fault({ fault: '503', on: 'reserve', share: 1 })

    expect(await payer.call()).toBe('not_processed')

    await patient.endsWithNothingLeft(payer, 'not_sent')
  })

  it('whose caller hung up, and that was then reversed', async () => {
    const payer = hasty.payers.payer()
    await payer.fault({ fault: 'delay', ms: 700 })

    expect(await payer.tryOnce(0, 300)).toBe('silence')

    await hasty.endsWithNothingLeft(payer, 'reversed')
  })

  it('that was approved too late, and reversed', async () => {
    const payer = hasty.payers.payer()
    await paysAndIsNotFound(payer)

    await hasty.payers.payconex.clearFaults(payer.customId)

    await hasty.endsWithNothingLeft(payer, 'reversed')
  })

  it('that is asked for twice at once, at two gateways', async () => {
    const payer = patient.payers.payer()

    await Promise.all([payer.tryOnce(0), payer.tryOnce(1)])

    await patient.endsWithNothingLeft(payer, 'approved')
  })

  it('that is refused as another one under its id', async () => {
    const payer = patient.payers.payer()
    await payer.call()

    const other = { ...payer.body, amount: '99.00' }
    const answer = await post(patient.stack.gateways[1]?.endpoint ?? '', other, { user: payer.account })

    expect(answer.body.error_code).toBe('transaction_id_reused')
    await patient.endsWithNothingLeft(payer, 'approved')
  })
})

describe.concurrent('nothing is left sealed or queued, and the ledger keeps what it asks with, of a payment', () => {
  it('that is unconfirmed, past ANSWER_BY', async () => {
    const payer = hasty.payers.payer()

    await paysAndIsNotFound(payer)

    await hasty.keepsOnlyCredentials(payer, 'unconfirmed')
  })
})

describe.concurrent('nothing is left sealed or queued of a payment', () => {
  it('whose gateway is asked to end while it holds the caller', async () => {
    const payer = patient.payers.payer()
    const leaving = await patient.stack.addGateway()
    await payer.fault({ fault: 'delay', ms: 500 })
    const call = payer.tryOnce(patient.stack.gateways.indexOf(leaving), LIMIT_MS)
    await payer.arrived('sale')

    await leaving.stop()

    expect(await call).toMatchObject({ error_code: null })
    await patient.endsErased(payer, 'approved')
  })

  it('whose gateway finds no room for its caller', async () => {
    const small = await patient.stack.addGateway({ env: { MAX_WAITING: '1' } })
    const [first, second] = [patient.payers.payer(), patient.payers.payer()]
    await first.fault({ fault: 'delay', ms: 800 })
    const nth = patient.stack.gateways.indexOf(small)
    const held = first.tryOnce(nth, LIMIT_MS)
    await first.arrived('sale')

    expect(await second.tryOnce(nth)).toMatchObject({ error_code: 'not_processed' })

    await patient.endsErased(second, 'not_sent')
    await held
    await patient.endsErased(first, 'approved')
  })
})

// An approval that comes between two tries stays open until nobody can come back for it, and the credentials with it.
describe('nothing is left sealed or queued, after a crash, of a payment', () => {
  it('whose worker is killed, before it sent and after: the job runs again, the payment is taken over', async () => {
    const [early, late] = [patient.payers.payer(), patient.payers.payer()]
    await early.fault({ fault: 'hang', on: 'reserve', share: 1, label: early.customId })
    await late.fault({ fault: 'lose_answer' })
    const calls = [early.call(), late.call()]
    await Promise.all([early.arrived('reserve'), late.arrived('sale')])

    for (const worker of patient.stack.workers) worker.kill('SIGKILL')
    await patient.payers.payconex.clearFaults(early.customId)
    await patient.stack.addWorker()

    await Promise.all(calls)
    await patient.endsErased(early, 'approved', 'not_sent')
    await patient.endsErased(late, 'approved')
  })

  it('whose queue is killed and comes back', async () => {
    await patient.payers.isServed()
    const [early, late] = [patient.payers.payer(), patient.payers.payer()]
    await early.fault({ fault: 'delay', on: 'reserve', ms: 500 })
    await late.fault({ fault: 'delay', ms: 500 })
    const calls = [early.call(), late.call()]
    await Promise.all([early.arrived('reserve'), late.arrived('sale')])

    await patient.stack.queue.kill()
    await patient.stack.queue.restart()

    await Promise.all(calls)
    for (const payer of [early, late]) await patient.endsErased(payer, 'approved', 'not_sent')
  })

  it('and in the end the queue holds nothing sealed at all', async () => {
    const sealed = async () => (await everythingIn(patient.stack.queue.url)).filter((text) => text.includes(':sealed:'))

    await until(async () => (await sealed()).length === 0, LIMIT_MS)

    expect(await sealed()).toEqual([])
  })
})
