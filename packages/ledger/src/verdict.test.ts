import type { Verdict } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import type { PaymentRecord } from './record.ts'
import { verdictOf } from './verdict.ts'

/** Every state, with the middle column of the table in design.md section 3. */
const heard: Record<PaymentRecord['state'], Verdict | undefined> = {
  accepted: undefined,
  sending: undefined,
  reversing: undefined,
  approved: { kind: 'approved', transactionId: '000000012345' },
  declined: { kind: 'declined', code: '30002', message: 'DECLINED' },
  not_sent: { kind: 'not_processed' },
  reversed: { kind: 'not_processed' },
  unconfirmed: { kind: 'unconfirmed' },
  review: { kind: 'unconfirmed' },
}

describe('what the caller hears of a payment', () => {
  it.each(Object.entries(heard))('that is %s follows the table', (state, verdict) => {
    const record: PaymentRecord = {
      key: 'p_1',
      state: state as PaymentRecord['state'],
      attempt: 1,
      fingerprint: '1.a',
      now: 1000,
      first: 1000,
      asked: 0,
      reversals: 0,
      method: 'charge',
      account: '120615000001',
      custom_id: 'tx-1',
      id: '000000012345',
      code: '30002',
      message: 'DECLINED',
    }

    expect(verdictOf(record)).toEqual(verdict)
  })
})
