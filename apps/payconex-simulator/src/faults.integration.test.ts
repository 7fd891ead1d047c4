import { describe, expect, test } from 'vitest'
import { type Client, eventually, type Form, sale, withSimulator } from './testing.ts'

/** How long a caller waits for an answer that never comes. */
const PATIENCE_MS = 300

const call = { ...sale, custom_id: 'CAf1' }

/** What a caller notices, in a word. */
async function noticed(response: Response | undefined): Promise<string> {
  if (!response) return 'nothing'
  const body = await response.text().catch(() => undefined)
  if (body === undefined) return `${response.status} broken`
  return `${response.status} ${describeBody(body)}`
}

function describeBody(body: string): string {
  if (body === '') return 'empty'
  if (body.startsWith('<!DOCTYPE html>')) return 'page'
  return body.startsWith('{') ? 'json' : 'form'
}

interface Case {
  fault: string
  amount?: string
  notices: string
  committed: boolean
  answered: boolean
}

const cases: Case[] = [
  { fault: 'hang', amount: '1.04', notices: 'nothing', committed: false, answered: false },
  { fault: 'reset_before_commit', amount: '1.03', notices: 'nothing', committed: false, answered: false },
  { fault: 'reset_after_commit', amount: '1.02', notices: 'nothing', committed: true, answered: false },
  { fault: 'lose_answer', notices: 'nothing', committed: true, answered: false },
  { fault: '500', notices: '500 page', committed: false, answered: false },
  { fault: '503', amount: '1.06', notices: '503 page', committed: false, answered: false },
  { fault: '429', notices: '429 page', committed: false, answered: false },
  { fault: '500_after_commit', amount: '1.05', notices: '500 page', committed: true, answered: false },
  { fault: 'html', notices: '200 page', committed: false, answered: false },
  { fault: 'html_after_commit', amount: '1.07', notices: '200 page', committed: true, answered: false },
  { fault: 'half_body', amount: '1.08', notices: '200 broken', committed: true, answered: false },
  { fault: 'empty', notices: '200 empty', committed: true, answered: false },
  { fault: 'booleans_as_digits', amount: '1.09', notices: '200 json', committed: true, answered: true },
  { fault: 'form_answer', amount: '1.10', notices: '200 form', committed: true, answered: true },
  { fault: '401', notices: '401 json', committed: false, answered: false },
  { fault: '422', notices: '422 json', committed: false, answered: false },
  { fault: '502', notices: '502 page', committed: false, answered: false },
  { fault: '504_after_commit', notices: '504 page', committed: true, answered: false },
  { fault: 'booleans_as_letters', notices: '200 json', committed: true, answered: true },
  { fault: 'booleans_as_null', notices: '200 json', committed: true, answered: true },
  { fault: 'without_id', notices: '200 json', committed: true, answered: true },
  { fault: 'wrong_type', notices: '200 json', committed: true, answered: true },
  { fault: 'broken_gzip', notices: '200 broken', committed: true, answered: true },
  { fault: 'huge', notices: '200 json', committed: true, answered: true },
  { fault: 'other_amount', amount: '1.12', notices: '200 json', committed: true, answered: true },
  { fault: 'other_id', notices: '200 json', committed: true, answered: true },
]

async function expectOutcome(simulator: Client, form: Form, expected: Case) {
  const isSilent = ['hang', 'lose_answer'].includes(expected.fault)
  const seen = await noticed(await simulator.attempt(form, isSilent ? PATIENCE_MS : undefined))

  expect(seen).toBe(expected.notices)
  await eventually(async () => (await simulator.control('/faults')).held === 0)
  expect((await simulator.ledger()).transactions).toMatchObject(
    expected.committed ? [{ approved: true, answered: expected.answered }] : [],
  )
}

describe('a fault that was asked for', () => {
  test.each(cases)('$fault: the caller sees $notices, committed: $committed', (expected) =>
    withSimulator(async (simulator) => {
      await simulator.control('/faults', { fault: expected.fault })

      await expectOutcome(simulator, call, expected)

      expect(await simulator.qsapi(call)).toMatchObject({ transaction_approved: true, transaction_amount: 10 })
    }),
  )
})

describe('a fault chosen by amount', () => {
  test.each(cases.filter(({ amount }) => amount))('$amount is $fault', (expected) =>
    withSimulator((simulator) =>
      expectOutcome(simulator, { ...call, transaction_amount: expected.amount ?? '' }, expected),
    ),
  )

  test('1.11 is approved after three seconds', () =>
    withSimulator(async ({ qsapi }) => {
      const start = performance.now()

      expect(await qsapi({ ...call, transaction_amount: '1.11' })).toMatchObject({ transaction_approved: true })
      expect(performance.now() - start).toBeGreaterThan(2900)
    }))
})

describe('what some faults do in particular', () => {
  test('booleans arrive as the strings "1" and "0"', () =>
    withSimulator(async ({ control, qsapi }) => {
      await control('/faults', { fault: 'booleans_as_digits' })

      expect(await qsapi(call)).toMatchObject({ transaction_approved: '1', keyed: '1', swiped: '0', error: '0' })
    }))

  test('a partial approval takes half, in the answer and in the books', () =>
    withSimulator(async ({ control, qsapi, ledger }) => {
      await control('/faults', { fault: 'other_amount' })

      expect(await qsapi(call)).toMatchObject({ request_amount: 10, transaction_amount: 5, balance: 5 })
      expect((await ledger()).charged).toEqual({ count: 1, total: '5.00' })
    }))

  test('an answer under another id lies: the books have the reserved one', () =>
    withSimulator(async ({ control, qsapi, reserve, status, ledger }) => {
      const id = await reserve()
      await control('/faults', { fault: 'other_id' })

      const answer = await qsapi({ ...call, transaction_id: id })

      expect(answer.transaction_id).not.toBe(id)
      expect(await status(id)).toMatchObject({ found: true })
      expect((await ledger()).transactions).toMatchObject([{ transaction_id: id }])
    }))

  test('a refusal has nothing to commit and can be lost all the same', () =>
    withSimulator(async ({ control, attempt, ledger }) => {
      await control('/faults', { fault: '500_after_commit' })

      expect((await attempt({ ...call, card_number: '1' }))?.status).toBe(500)
      expect((await ledger()).transactions).toEqual([])
    }))

  test('503 and 429 say when to come back', () =>
    withSimulator(async ({ control, attempt }) => {
      for (const fault of ['503', '429']) {
        await control('/faults', { fault })
        expect((await attempt(call))?.headers.get('retry-after')).toBe('1')
      }
    }))

  test('a delay before the commit hides the transaction meanwhile, and commits although the caller has gone', () =>
    withSimulator(async ({ control, attempt, ledger }) => {
      await control('/faults', { fault: 'delay', ms: 600 })

      expect(await attempt(call, 100)).toBeUndefined()

      expect((await ledger()).transactions).toEqual([])
      await eventually(async () => (await ledger()).transactions.length === 1)
      expect((await ledger()).transactions).toMatchObject([{ approved: true, answered: false }])
    }))

  test('a delay after the commit shows the transaction at once', () =>
    withSimulator(async ({ control, qsapi, ledger }) => {
      await control('/faults', { fault: 'delay', ms: 600, when: 'after' })

      const answer = qsapi(call)
      await eventually(async () => (await ledger()).transactions.length === 1)

      expect((await ledger()).transactions).toMatchObject([{ answered: false }])
      expect(await answer).toMatchObject({ transaction_approved: true })
      await eventually(async () => (await ledger()).transactions[0]?.answered === true)
    }))

  test('a request that hangs is forgotten when its caller gives up', () =>
    withSimulator(async ({ control, attempt }) => {
      await control('/faults', { fault: 'hang' })
      const attempted = attempt(call, PATIENCE_MS)
      await eventually(async () => (await control('/faults')).held === 1)

      await attempted

      await eventually(async () => (await control('/faults')).held === 0)
    }))

  test('a look-up fails on its own, and sales go on', () =>
    withSimulator(async ({ control, post, qsapi }) => {
      await control('/faults', { fault: '500', on: 'status', next: 2 })
      const form = { action: 'GET_TRANSACTION_STATUS', transaction_id: '000000000001' }

      expect(await qsapi(call)).toMatchObject({ transaction_approved: true })
      expect((await post('/api/tsapi/3.8', form)).status).toBe(500)
    }))

  test('other_id on reserve gives an id out for the second time', () =>
    withSimulator(async ({ control, reserve }) => {
      const first = await reserve()
      await control('/faults', { fault: 'other_id', on: 'reserve' })

      expect(await reserve()).toBe(first)
      expect(await reserve()).not.toBe(first)
    }))
})
