import type { Look, PaymentRecord } from '@pay/ledger'
import { createTimes, sharedVariables } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { tell } from './tell.ts'

const { TRY_TIMEOUT_MS, TRIES, SEND_BY_MS, ANSWER_BY_MS, PAYCONEX_TIMEOUT_MS, REPEAT_AFTER_MS } = sharedVariables
const { ABSENCE_MARGIN_MS, LEDGER_RETENTION_DAYS, TIME_SCALE } = sharedVariables
const variables = { TRY_TIMEOUT_MS, TRIES, SEND_BY_MS, ANSWER_BY_MS, PAYCONEX_TIMEOUT_MS, REPEAT_AFTER_MS }
const times = createTimes(z.object({ ...variables, ABSENCE_MARGIN_MS, LEDGER_RETENTION_DAYS, TIME_SCALE }).parse({}))

const FIRST = 1_000_000
const LATER = FIRST + times.listeningMs

function told(
  changes: Partial<PaymentRecord>,
  look: Partial<Look> = {},
  lateApproval: 'report' | 'reverse' = 'report',
) {
  const record: PaymentRecord = {
    key: 'p_1',
    state: 'approved',
    attempt: 1,
    fingerprint: '1.a',
    now: LATER,
    first: FIRST,
    asked: 0,
    reversals: 0,
    method: 'charge',
    account: '120615000001',
    custom_id: 'order-1',
    id: '000000000001',
    ...changes,
  }
  return tell({ record, waiting: 0, ...look }, { times, lateApproval })
}

describe('what a person is told of a payment', () => {
  it('is what a try would hear now, in the words of the gateway', () => {
    expect(told({}).hears).toEqual({ charge_id: '000000000001', error_code: null, error_message: null })
    expect(told({ state: 'review' }).hears).toMatchObject({ error_code: 'unconfirmed' })
    expect(told({ state: 'sending' }).hears).toBeUndefined()
  })

  it.each<[string, Partial<PaymentRecord>, string]>([
    ['that is unconfirmed', { state: 'unconfirmed' }, '`ask` lets PayConex be asked now; `resolve`'],
    ['for review', { state: 'review' }, '`resolve`, when PayConex’ console says'],
    ['that nobody can have heard of', {}, '`reverse` has it undone'],
    ['that somebody may have heard of', { heard: true }, 'a refund is made in PayConex’ console'],
    ['that somebody may still hear of', { now: LATER - 1 }, 'nothing yet'],
    ['that is about to be reversed', { wanted: true }, 'about to be reversed'],
    ['that stored a card', { method: 'tokenize' }, 'no money has moved'],
    ['that was declined', { state: 'declined' }, 'the caller can pay again'],
  ])('is what can be done about one %s', (_, changes, can) => {
    expect(told(changes).can).toContain(can)
  })

  it('is when what happens next', () => {
    const dueAt = LATER + 5000

    expect(told({ state: 'unconfirmed', asked: 2 }, { dueAt }).next).toEqual({
      at: dueAt,
      what: 'a worker asks PayConex about it (asked 2 times so far)',
    })
    expect(told({ state: 'unconfirmed', asked: 13 }, { dueAt }).next.what).toContain('for the last time')
    expect(told({}, { dueAt }).next.what).toContain('list of late approvals')
    expect(told({}, { dueAt }, 'reverse').next.what).toContain('reverses it')
    expect(told({ wanted: true }, { dueAt }).next.what).toContain('reverses it')
    expect(told({}).next).toEqual({ what: 'nothing' })
  })
})
