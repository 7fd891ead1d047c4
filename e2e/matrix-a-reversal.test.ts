import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, authorization, visaCharge, visaTokenize } from './caller.ts'
import { createPayers, type Payer } from './matrix-payer.ts'
import { SHORT_TIMES, TIME_SCALE, TRIES } from './short-times.ts'

/** Group A of the fault matrix (docs/fault-matrix.md): approvals that come too late to be heard, with LATE_APPROVAL=reverse. */

vi.setConfig({ maxConcurrency: 100 })

const env = { TIME_SCALE: String(TIME_SCALE), ...SHORT_TIMES }

let stack: Stack
let payers: ReturnType<typeof createPayers>
let accountWithReversal: string

beforeAll(async () => {
  stack = await startTestStack({ gateways: 1, workers: 2, env })
  payers = createPayers({ stack, timeScale: TIME_SCALE, tries: TRIES })
  accountWithReversal = (await proveReversals()).account
})

afterAll(async () => {
  payers?.close()
  await stack?.stop()
})

/** Charged, but neither answered nor found before the caller has heard `unconfirmed`. */
async function paysAndHearsUnconfirmed(make = visaCharge, account?: string): Promise<Payer> {
  const payer = payers.payer(make, account)
  await payer.fault({ fault: 'lose_answer' })
  await payer.fault({ fault: '500', on: 'status', share: 1, label: payer.customId })
  expect(await payer.call()).toBe('unconfirmed')
  return payer
}

/** From now on PayConex says what it has. */
const isFound = ({ customId }: Payer) => payers.payconex.clearFaults(customId)

const reversed = { heard: 'unconfirmed', ledger: 'reversed', charged: 1, returned: 1 }
const forReview = { heard: 'unconfirmed', ledger: 'review', charged: 1, returned: 0 }

/** Under which ids its charge was to be reversed. */
async function reversals(payer: Payer) {
  const [charge] = await payer.charges()
  const asked = (await payer.requests('reversal')).filter(({ values }) => values.token_id === charge?.transaction_id)
  return asked.map(({ values }) => values.transaction_id)
}

/** Nobody waits for its answer. */
async function paysAndHangsUp(account?: string): Promise<Payer> {
  const payer = payers.payer(visaCharge, account)
  await payer.fault({ fault: 'delay', ms: 700 })
  expect(await payer.tryOnce(0, 400)).toBe('silence')
  return payer
}

/** A charge of this account is reversed: from now on PayConex is believed when it does not know another reversal. */
async function proveReversals(account?: string): Promise<Payer> {
  const payer = await paysAndHangsUp(account)
  expect(await payer.books('reversed')).toEqual({ ...reversed, heard: 'silence' })
  return payer
}

describe.concurrent('an approval that was found after the caller heard unconfirmed', () => {
  it('A8, A21: is reversed, and whoever asks again hears that nothing was charged', async () => {
    const payer = await paysAndHearsUnconfirmed()
    await isFound(payer)

    expect(await payer.books('reversed')).toEqual(reversed)
    expect(await payer.call()).toBe('not_processed')
    expect(await reversals(payer)).toHaveLength(1)
  })

  // The caller races with the reversal, and on a slow machine may lose.
  it('A8, A21: is kept when somebody has asked again meanwhile, and has heard of it', { retry: 2 }, async () => {
    const payer = await paysAndHearsUnconfirmed()
    await isFound(payer)
    await payer.reaches('approved')

    expect(await payer.call()).toBe('approved')
    expect(await payer.books('approved')).toMatchObject({ charged: 1, returned: 0 })
    expect(await reversals(payer)).toEqual([])
  })

  it('A8: is kept when it was a card to be stored: no money has moved', async () => {
    const payer = await paysAndHearsUnconfirmed(visaTokenize)
    await isFound(payer)

    expect(await payer.books('approved')).toMatchObject({ heard: 'unconfirmed', charged: 1, returned: 0 })
    expect(await reversals(payer)).toEqual([])
  })
})

describe.concurrent('an approval that nobody waited for', () => {
  it('A9: because the caller has hung up: is reversed when nobody can come back', async () => {
    const payer = await paysAndHangsUp()

    expect(await payer.books('reversed')).toEqual({ ...reversed, heard: 'silence' })
  })
})

describe.concurrent('a reversal', () => {
  it('A21: for which PayConex gives an id that another payment has: is sent under another one', async () => {
    const payer = await paysAndHearsUnconfirmed()
    await payer.fault({ fault: 'other_id', on: 'reserve' })
    await isFound(payer)

    expect(await payer.books('reversed')).toEqual(reversed)
    expect(await reversals(payer)).not.toContain((await payer.charges())[0]?.transaction_id)
  })

  it('A21: whose answer is lost: is looked up, and not sent again', async () => {
    const payer = await paysAndHearsUnconfirmed()
    await payer.fault({ fault: 'lose_answer', on: 'reversal' })
    await isFound(payer)

    expect(await payer.books('reversed')).toEqual(reversed)
    expect(await reversals(payer)).toHaveLength(1)
  })

  it('A21: that times out before PayConex commits it: not sent again until it is proven absent, then under a fresh id', async () => {
    const payer = await paysAndHearsUnconfirmed()
    await payer.fault({ fault: 'hang', on: 'reversal' })
    await isFound(payer)
    await payer.arrived('reversal')

    await proveReversals(payer.account)

    expect(await payer.books('reversed')).toEqual(reversed)
    const [first, ...more] = await reversals(payer)
    expect(more).toHaveLength(1)
    expect(more).not.toContain(first)
  })

  it('A21: that never gets through: after three times a person must look', async () => {
    const payer = await paysAndHearsUnconfirmed(visaCharge, accountWithReversal)
    await payer.fault({ fault: '503', on: 'reversal', share: 1 })
    await isFound(payer)

    expect(await payer.books('review')).toEqual(forReview)
    expect(await reversals(payer)).toHaveLength(3)
  })

  it('A21: of what somebody else has reversed already: is done', async () => {
    const payer = await paysAndHearsUnconfirmed()
    await askPayconex(payer, { transaction_type: 'REVERSAL' })
    await isFound(payer)

    expect(await payer.books('reversed')).toEqual(reversed)
  })

  it('A21: of what is settled and cannot be reversed any more: a person must look', async () => {
    const payer = await paysAndHearsUnconfirmed(authorization)
    await askPayconex(payer, { transaction_type: 'CAPTURE', transaction_amount: '10.00' })
    await isFound(payer)

    expect(await payer.books('review')).toEqual(forReview)
    expect(await reversals(payer)).toHaveLength(1)
  })
})

/** What the merchant does by hand with the charge. */
async function askPayconex(payer: Payer, fields: Record<string, string>): Promise<void> {
  const [charge] = await payer.charges()
  const common = { account_id: payer.account, api_accesskey: ACCESS_KEY, response_format: 'JSON' }
  const body = new URLSearchParams({ ...common, token_id: charge?.transaction_id ?? '', ...fields })
  const response = await fetch(`${stack.simulator?.url}/api/qsapi/3.8`, { method: 'POST', body })
  expect(await response.json()).toMatchObject({ transaction_approved: true })
}
