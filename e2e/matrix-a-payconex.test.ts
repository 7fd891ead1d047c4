import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Body, bankCharge, declinedCharge, visaCharge, visaTokenize } from './caller.ts'
import { createPayers, until } from './matrix-payer.ts'
import { everythingIn } from './redis-contents.ts'

/** Group A of the fault matrix (docs/fault-matrix.md): PayConex in bad moods, as its answers show them. */

// All at once, on one stack: every test has an account of its own, and only that one is hit by its faults.
vi.setConfig({ maxConcurrency: 100 })

// A tenth of the real times: SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s. Absence is proven from 6 s after the send.
const TIME_SCALE = 0.1
const env = { TIME_SCALE: String(TIME_SCALE), ABSENCE_MARGIN_MS: '30000' }

let stack: Stack
let payers: ReturnType<typeof createPayers>

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 2, env })
  payers = createPayers({ stack, timeScale: TIME_SCALE })
})

afterAll(async () => {
  payers?.close()
  await stack?.stop()
})

type Fault = Record<string, unknown>
type Case = [row: string, what: string, fault: Fault | Fault[], make?: () => Body]

/** A payment under faults, from the first try to where it comes to stand. */
async function payUnder(faults: Fault | Fault[], state: string, { make = visaCharge, isProven = false } = {}) {
  const payer = payers.payer(make)
  if (isProven) await payer.prove()
  for (const fault of [faults].flat()) await payer.fault(fault)
  await payer.call()
  return { payer, books: await payer.books(state) }
}

const charged = { heard: 'approved', ledger: 'approved', charged: 1, returned: 0 }
const notSent = { heard: 'not_processed', ledger: 'not_sent', charged: 0, returned: 0 }
const unknown = { heard: 'unconfirmed', ledger: 'unconfirmed', charged: 0, returned: 0 }
const provenAbsent = { heard: 'unconfirmed', ledger: 'not_sent', charged: 0, returned: 0 }

const forEver = { share: 1 }
const committed: Case[] = [
  ['A7', 'loses its answer', { fault: 'lose_answer' }],
  ['A7', 'resets the connection', { fault: 'reset_after_commit' }],
  ['A7', 'stores, and loses its answer', { fault: 'lose_answer' }, visaTokenize],
  ['A7', 'charges a bank account, and loses its answer', { fault: 'lose_answer' }, bankCharge],
  ['A9', 'answers after 25 s', { fault: 'delay', ms: 2500 }],
  ['A12', 'breaks off in the middle of its answer', { fault: 'half_body' }],
  ['A12', 'answers with a page', { fault: 'html_after_commit' }],
  ['A12', 'answers nothing', { fault: 'empty' }],
  ['A12', 'answers as a form', { fault: 'form_answer' }],
  ['A12', 'calls its JSON a page', { fault: 'wrong_type' }],
  ['A12', 'says that its answer is compressed', { fault: 'broken_gzip' }],
  ['A12', 'answers with 10 MB', { fault: 'huge' }],
  ['A13', 'spells booleans as digits', { fault: 'booleans_as_digits' }],
  ['A13', 'spells booleans as letters', { fault: 'booleans_as_letters' }],
  ['A13', 'says null in place of yes', { fault: 'booleans_as_null' }],
  ['A13', 'answers without an id', { fault: 'without_id' }],
  ['A16', 'answers 500', { fault: '500_after_commit' }],
  ['A16', 'answers 502', { fault: '502_after_commit' }],
  ['A16', 'answers 504', { fault: '504_after_commit' }],
]

describe.concurrent('committed: charged once, and the caller gets its id', () => {
  it.each(committed)('%s: PayConex commits and %s', async (_row, _what, fault, make) => {
    expect((await payUnder(fault, 'approved', { make: make ?? visaCharge })).books).toEqual(charged)
  })
})

const uncommitted: Case[] = [
  ['A6', 'resets the connection', { fault: 'reset_before_commit' }],
  ['A10', 'never answers', { fault: 'hang' }],
  ['A12', 'answers with a page', { fault: 'html' }],
  ['A15', 'answers 503', { fault: '503' }],
  ['A15', 'answers 429', { fault: '429' }],
  ['A16', 'answers 500', { fault: '500' }],
  ['A16', 'answers 502', { fault: '502' }],
  ['A16', 'answers 504', { fault: '504' }],
]

describe.concurrent('not committed, and PayConex is not known to honour reserved ids: not sent again', () => {
  it.each(uncommitted)(
    '%s: PayConex %s: unconfirmed; proven absent when the account proves itself',
    async (_row, _what, fault) => {
      const { payer, books } = await payUnder(fault, 'unconfirmed')
      expect(books).toEqual(unknown)

      await payer.prove()

      expect(await payer.books('not_sent')).toEqual(provenAbsent)
      expect(await payer.sends()).toHaveLength(1)
    },
  )
})

describe.concurrent('not committed, and PayConex is known to honour reserved ids: sent once more under the same one', () => {
  it.each(uncommitted)('%s: PayConex %s once: charged once', async (_row, _what, fault) => {
    const { payer, books } = await payUnder(fault, 'approved', { isProven: true })

    expect(books).toEqual(charged)
    const [first, ...more] = await payer.sends()
    expect(more).toEqual([first])
  })

  it('A15: PayConex answers 503 for ever: sent twice, unconfirmed, later proven absent', async () => {
    const { payer, books } = await payUnder({ fault: '503', ...forEver }, 'not_sent', { isProven: true })

    expect(books).toEqual(provenAbsent)
    expect(await payer.sends()).toHaveLength(2)
  })
})

describe.concurrent('late', () => {
  it('A8: committed, and neither answered nor found until ANSWER_BY: unconfirmed, later found', async () => {
    const payer = payers.payer()
    await payer.fault({ fault: 'lose_answer' })
    await payer.fault({ fault: '500', on: 'status', ...forEver, label: payer.customId })
    expect(await payer.call()).toBe('unconfirmed')

    await payers.payconex.clearFaults(payer.customId)

    expect(await payer.books('approved')).toEqual({ ...charged, heard: 'unconfirmed' })
    expect(await payer.call()).toBe('approved')
  })

  // From there to ANSWER_BY there is one second of this test's time, which a slow machine may need for itself.
  it('A9: PayConex commits after 45 s, when the worker has given up: charged once, found', { retry: 2 }, async () => {
    expect((await payUnder({ fault: 'delay', ms: 4500 }, 'approved')).books).toEqual(charged)
  })

  it('A9: PayConex commits after 60 s: unconfirmed, then found', async () => {
    const { books } = await payUnder({ fault: 'delay', ms: 6000 }, 'approved')

    expect(books).toEqual({ ...charged, heard: 'unconfirmed' })
  })

  it('A11: committed after look-ups that found nothing: not taken for absent', async () => {
    const { payer, books } = await payUnder({ fault: 'delay', ms: 4000 }, 'approved')

    expect(books).toEqual(charged)
    expect((await payer.requests('status')).length).toBeGreaterThan(1)
  })

  it('A11: late, and sent again meanwhile: PayConex refuses the second, charged once', async () => {
    const { payer, books } = await payUnder({ fault: 'delay', ms: 4000 }, 'approved', { isProven: true })

    expect(books).toEqual(charged)
    expect(await payer.sends()).toHaveLength(2)
  })

  it('A20: a look-up does not find what is there, then does: charged once', async () => {
    const lagging = [{ fault: 'lose_answer' }, { fault: 'not_found', on: 'status', next: 2 }]
    const { payer, books } = await payUnder(lagging, 'approved')

    expect(books).toEqual(charged)
    expect((await payer.requests('status')).length).toBeGreaterThan(2)
  })

  it('A20: look-ups do not find it until the caller has heard unconfirmed: not taken for absent', async () => {
    const lagging = [{ fault: 'reset_after_commit' }, { fault: 'not_found', on: 'status', next: 100 }]
    const payer = payers.payer()
    for (const fault of lagging) await payer.fault({ ...fault, label: payer.customId })
    expect(await payer.call()).toBe('unconfirmed')

    await payers.payconex.clearFaults(payer.customId)

    expect(await payer.books('approved')).toEqual({ ...charged, heard: 'unconfirmed' })
  })
})

describe.concurrent('a no', () => {
  it.each(['400', '401', '403', '422'])('A14: PayConex refuses with %s: its code, once', async (status) => {
    const { payer, books } = await payUnder({ fault: status }, 'declined')

    expect(books).toEqual({ heard: `20${status}`, ledger: 'declined', charged: 0, returned: 0 })
    expect(await payer.sends()).toHaveLength(1)
  })

  it('A14: PayConex refuses the account when asked for an id: its code, nothing is sent', async () => {
    const { payer, books } = await payUnder({ fault: '401', on: 'reserve', ...forEver }, 'declined')

    expect(books).toEqual({ heard: '20401', ledger: 'declined', charged: 0, returned: 0 })
    expect(await payer.sends()).toHaveLength(0)
  })

  const with101 = (make: () => Body) => () => ({ ...make(), amount: '1.01' })
  const expired = () => ({ ...visaCharge(), expiry_month: '01', expiry_year: '20' })
  it.each([
    ['a card', declinedCharge],
    ['a bank account', with101(bankCharge)],
    ['an expired card', expired],
  ])('A17: PayConex declines %s: its code, once', async (_what, make) => {
    const { payer, books } = await payUnder([], 'declined', { make })

    expect(books).toEqual({ heard: '30002', ledger: 'declined', charged: 0, returned: 0 })
    expect(await payer.sends()).toHaveLength(1)
  })

  it('A17: declined, and the answer is lost: looked up, its code', async () => {
    const { books } = await payUnder({ fault: 'lose_answer' }, 'declined', { make: declinedCharge })

    expect(books).toEqual({ heard: '30002', ledger: 'declined', charged: 0, returned: 0 })
  })
})

describe.concurrent('a contradiction is for a person to look at', () => {
  it('A13: approved under another id: unconfirmed, review', async () => {
    const { books } = await payUnder({ fault: 'other_id' }, 'review')

    expect(books).toEqual({ heard: 'unconfirmed', ledger: 'review', charged: 1, returned: 0 })
  })

  it.each([
    ['A13: another amount', { fault: 'other_amount' }, '10.00', '5.00'],
    ['A17: a part of the amount', [], '1.12', '0.56'],
  ] as const)('%s is approved: never taken for the whole', async (_what, fault, amount, approved) => {
    const payer = payers.payer(() => ({ ...visaCharge(), amount }))
    for (const one of [fault].flat()) await payer.fault(one)

    expect(await payer.call()).toBe('unconfirmed')
    expect((await payer.record())?.state).toBe('review')
    expect(await payer.charges()).toMatchObject([{ transaction_amount: approved }])
  })
})

describe.concurrent('an id beforehand', () => {
  it.each([
    ['fails three times', { fault: '500', on: 'reserve', next: 3 }],
    ['is answered with a page', { fault: 'html', on: 'reserve' }],
    ['is slow', { fault: 'delay', ms: 900, on: 'reserve' }],
    ['is asked for in vain, the connection is reset', { fault: 'reset_before_commit', on: 'reserve', next: 2 }],
  ])('A18: that %s, but comes by SEND_BY: charged once', async (_what, fault) => {
    expect((await payUnder(fault, 'approved')).books).toEqual(charged)
  })

  it.each([
    ['fails for ever', '500'],
    ['never comes', 'hang'],
    ['is refused for now (A15)', '503'],
  ])('A18: that %s: nothing is sent', async (_what, fault) => {
    const { payer, books } = await payUnder({ fault, on: 'reserve', ...forEver }, 'not_sent')

    expect(books).toEqual(notSent)
    expect(await payer.sends()).toHaveLength(0)
  })

  it('A18: that another payment has used: another one is fetched, the first charge is left alone', async () => {
    const first = payers.payer()
    // Found by a look-up, which proves nothing about ids: none is reserved ahead, and the last one is that of this payment.
    await first.fault({ fault: 'reset_after_commit' })
    expect(await first.call()).toBe('approved')
    const second = payers.payer(visaCharge, first.account)
    await second.fault({ fault: 'other_id', on: 'reserve' })

    await second.call()

    expect(await second.books('approved')).toEqual(charged)
    expect(await second.sends()).not.toContain((await first.charges())[0]?.transaction_id)
    expect(await first.books('approved')).toEqual(charged)
  })

  it('A18: that another payment has used, and the answer is lost: it is sent under another id', async () => {
    const first = payers.payer()
    // Found by a look-up, which proves nothing about ids: none is reserved ahead, and the last one is that of this payment.
    await first.fault({ fault: 'reset_after_commit' })
    expect(await first.call()).toBe('approved')
    const second = payers.payer(visaCharge, first.account)
    await second.fault({ fault: 'other_id', on: 'reserve' })
    await second.fault({ fault: 'reset_after_commit' })

    expect(await second.call()).toBe('approved')
    expect(await second.charges()).toHaveLength(1)
    expect(await second.sends()).not.toContain((await first.charges())[0]?.transaction_id)
  })
})

describe('afterwards', () => {
  it('nothing is charged twice, held open, or left sealed', async () => {
    expect((await payers.payconex.books()).duplicates).toEqual([])
    expect(await until(async () => (await payers.payconex.held()) === 0, 5000)).toBe(true)
    const isClean = async () => !(await everythingIn(stack.queue.url)).some((text) => text.includes(':sealed:'))
    expect(await until(isClean, 10_000)).toBe(true)
  })
})
