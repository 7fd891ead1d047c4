import { describe, expect, it } from 'vitest'
import { elapsedMs, isAttemptOver, type PaymentRecord, STATES } from './record.ts'

const record: PaymentRecord = {
  key: 'p_1',
  state: 'accepted',
  attempt: 2,
  fingerprint: 'one',
  now: 1000,
  first: 1000,
  asked: 0,
  reversals: 0,
  method: 'charge',
  account: '120615000000',
  custom_id: 'tx-1',
}

describe('the time since the first try of a payment', () => {
  it('counts from that, by the ledger’s clock', () => {
    expect(elapsedMs({ ...record, now: 1500 })).toBe(500)
    expect(elapsedMs(record)).toBe(0)
  })

  it('is too long for everything when the clock went back', () => {
    expect(elapsedMs({ ...record, now: 999 })).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('an attempt', () => {
  it.each(STATES)('that is %s is over unless it is still to be sent or being sent', (state) => {
    const isUnderWay = state === 'accepted' || state === 'sending'

    expect(isAttemptOver({ attempt: 2 }, { ...record, state })).toBe(!isUnderWay)
  })

  it('is over when a later one has begun', () => {
    expect(isAttemptOver({ attempt: 1 }, record)).toBe(true)
  })

  it('is not over because of an earlier one', () => {
    expect(isAttemptOver({ attempt: 3 }, record)).toBe(false)
  })
})
