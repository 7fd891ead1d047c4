import { describe, expect, it } from 'vitest'
import type { Exchanged } from './classify.ts'
import { createPayconex } from './payconex.ts'
import { credentials, sale } from './testing.ts'

/** How the answers are read stands in the mapper; here is what is asked of whom, and what becomes of a request without an
 * answer. */

const RESERVED = '000000012349'
const unsent: Exchanged = { kind: 'unsent', reason: 'CERT_HAS_EXPIRED', retry: false }
const lost: Exchanged = { kind: 'lost', reason: 'ECONNRESET' }
const answered = (members: Record<string, unknown>): Exchanged => ({
  kind: 'answered',
  status: 200,
  text: JSON.stringify(members),
})
const approval = { transaction_id: RESERVED, transaction_approved: true, error: false, error_code: 0 }
const refusal = { error: true, error_code: 20006, error_message: 'Invalid token_id' }

function answering(exchanged: Exchanged) {
  const asked: { path: string; timeoutMs: number; alone: boolean; fields: Record<string, string> }[] = []
  const payconex = createPayconex({
    url: 'http://payconex.invalid',
    timeoutMs: 30_000,
    questionTimeoutMs: 5_000,
    async exchange({ url, form, timeoutMs, alone = false }) {
      const fields = Object.fromEntries(new URLSearchParams(form))
      asked.push({ path: new URL(url).pathname, timeoutMs, alone, fields })
      return exchanged
    },
  })
  const reversal = { chargeId: '000000012345', reservedId: RESERVED, customId: 'tx-1' }
  return {
    asked,
    reserve: () => payconex.reserve(credentials),
    submit: (more = {}) => payconex.submit(sale, { reservedId: RESERVED, ...more }),
    reverse: (more = {}) => payconex.reverse(credentials, { ...reversal, ...more }),
    lookUp: () => payconex.lookUp(credentials, { type: 'REVERSAL', reservedId: RESERVED, pastTimeout: true }),
  }
}

describe('a transaction', () => {
  it('goes to QSAPI under its reserved id, and may take as long as PayConex takes', async () => {
    const { submit, asked } = answering(lost)

    await submit()

    const fields = { transaction_amount: '10.00', transaction_id: RESERVED }
    expect(asked).toEqual([{ path: '/api/qsapi/3.8', timeoutMs: 30_000, alone: false, fields }])
  })

  it('has no transaction_id when none was reserved, but a connection of its own', async () => {
    const { submit, asked } = answering(lost)

    await submit({ reservedId: undefined })

    expect(asked[0]).toMatchObject({ alone: true, fields: { transaction_amount: '10.00' } })
    expect(asked[0]?.fields).not.toHaveProperty('transaction_id')
  })

  it('that is refused without its id has been refused the first time only', async () => {
    const { submit } = answering(answered(refusal))

    expect((await submit()).kind).toBe('declined')
    expect((await submit({ isRepeat: true })).kind).toBe('unanswered')
  })
})

describe('a reservation', () => {
  it('that gives an id a second time is none: two payments must not have one', async () => {
    const { reserve } = answering(answered({ transaction_id: RESERVED, error: false }))

    expect(await reserve()).toEqual({ kind: 'reserved', transactionId: RESERVED })
    expect(await reserve()).toEqual({ kind: 'unanswered', reason: 'the reserved id was given before' })
  })
})

describe('a reversal', () => {
  it('goes to QSAPI and names the charge', async () => {
    const { reverse, asked } = answering(answered(approval))

    expect(await reverse()).toEqual({ kind: 'reversed', transactionId: RESERVED })
    const fields = {
      account_id: credentials.accountId,
      api_accesskey: 'key',
      response_format: 'JSON',
      transaction_type: 'REVERSAL',
      token_id: '000000012345',
      transaction_id: RESERVED,
      custom_id: 'tx-1',
    }
    expect(asked).toEqual([{ path: '/api/qsapi/3.8', timeoutMs: 30_000, alone: true, fields }])
  })

  it('that is refused without its id has been refused the first time only', async () => {
    const { reverse } = answering(answered(refusal))

    expect((await reverse()).kind).toBe('declined')
    expect((await reverse({ isRepeat: true })).kind).toBe('unanswered')
  })

  it('is looked up by its reserved id, at TSAPI and without patience', async () => {
    const { lookUp, asked } = answering(answered({ found: true, ...approval }))

    expect(await lookUp()).toEqual({ kind: 'approved', transactionId: RESERVED })
    const fields = { transaction_id: RESERVED }
    expect(asked).toMatchObject([{ path: '/api/tsapi/3.8', timeoutMs: 5_000, alone: true, fields }])
  })
})

describe('a request that', () => {
  it.each(['reserve', 'submit', 'reverse'] as const)(
    'was not sent says so, and whether to send it again: %s',
    async (name) => {
      expect(await answering(unsent)[name]()).toEqual(unsent)
    },
  )

  it.each(['reserve', 'submit', 'reverse', 'lookUp'] as const)('was lost is unanswered: %s', async (name) => {
    expect(await answering(lost)[name]()).toEqual({ kind: 'unanswered', reason: 'ECONNRESET' })
  })

  it('was to look something up and was not sent has found out nothing', async () => {
    expect(await answering(unsent).lookUp()).toEqual({ kind: 'unanswered', reason: 'CERT_HAS_EXPIRED' })
  })
})
