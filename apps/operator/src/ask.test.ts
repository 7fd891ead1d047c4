import type { PaymentRecord } from '@pay/ledger'
import { describe, expect, it } from 'vitest'
import { answerIn } from './ask.ts'

const SINCE = 1000

const record = (changes: Partial<PaymentRecord>): PaymentRecord => ({
  key: 'p_1',
  state: 'unconfirmed',
  attempt: 1,
  fingerprint: 'one',
  now: 2000,
  first: 0,
  asked: 0,
  method: 'charge',
  account: '120615000001',
  custom_id: 'tx-1',
  reversals: 0,
  ...changes,
})

describe('what came of a question', () => {
  it.each(['unconfirmed', 'reversing'] as const)('is nothing as long as nobody has asked: %s', (state) => {
    expect(answerIn(record({ state }), SINCE)).toBeUndefined()
    expect(answerIn(record({ state, said: { at: SINCE - 1, what: 'not_found' } }), SINCE)).toBeUndefined()
  })

  it.each(['unconfirmed', 'reversing', 'review'] as const)('is what PayConex said since: %s', (state) => {
    expect(answerIn(record({ state, said: { at: SINCE, what: 'not_found' } }), SINCE)).toBe('not_found')
  })

  it('is that a person must look, where PayConex contradicted itself or refused the reversal: it kept no word of that', () => {
    expect(answerIn(record({ state: 'review' }), SINCE)).toBe('review')
    expect(answerIn(record({ state: 'review', said: { at: SINCE - 1, what: 'unanswered' } }), SINCE)).toBe('review')
  })

  it.each(['approved', 'declined', 'not_sent', 'reversed'] as const)('is settled when it is %s', (state) => {
    expect(answerIn(record({ state }), SINCE)).toBe('settled')
  })
})
