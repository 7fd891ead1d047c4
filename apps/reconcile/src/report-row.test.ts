import { describe, expect, it } from 'vitest'
import { ForeignReport, readRow, toCents } from './report-row.ts'

/** As the answers recorded by ActiveMerchant have it. */
const sale = {
  transaction_id: '000000012345',
  tender_type: 'CARD',
  transaction_timestamp: '2026-01-05 10:20:30',
  transaction_type: 'SALE',
  last4: '1111',
  transaction_amount: 10,
  transaction_approved: true,
  custom_id: 'abc',
  error: false,
  error_code: 0,
  error_message: null,
}
const read = (changes: object) => readRow(JSON.stringify({ ...sale, ...changes }))

describe('a row of a report', () => {
  it('is a charge, with what is needed of it and no more', () => {
    expect(read({})).toEqual({
      kind: 'charge',
      id: '000000012345',
      originalId: undefined,
      customId: 'abc',
      cents: 1000,
      at: '2026-01-05 10:20:30',
      isApproved: true,
      isWhole: false,
    })
  })

  it.each([
    ['a number as id', { transaction_id: 12345 }, { id: '000000012345' }],
    ['booleans as numbers', { transaction_approved: 1, error: 0 }, { isApproved: true }],
    ['booleans as words', { transaction_approved: 'Y', error: 'N', error_code: '0' }, { isApproved: true }],
    ['a decline', { transaction_approved: false, error: true, error_code: 30002 }, { isApproved: false }],
    ['an approval with an error', { error_code: 30002 }, { isApproved: false }],
    ['an amount as text', { transaction_amount: '1234.5' }, { cents: 123_450 }],
    ['no custom_id', { custom_id: null }, { customId: undefined }],
    [
      'a stored card',
      { transaction_type: 'STORE', transaction_approved: undefined, transaction_amount: 0 },
      { kind: 'token', isApproved: true },
    ],
    ['an authorisation', { transaction_type: 'AUTHORIZATION' }, { kind: 'charge' }],
    ['a capture', { transaction_type: 'Capture' }, { kind: 'capture' }],
    [
      'a refund',
      { transaction_type: 'REFUND', original_transaction_id: 7 },
      { kind: 'undo', originalId: '000000000007', isWhole: false },
    ],
    [
      'a reversal without an amount',
      { transaction_type: 'REVERSAL', transaction_amount: null },
      { kind: 'undo', isWhole: true },
    ],
  ])('may have %s', (_, changes, expected) => {
    expect(read(changes)).toMatchObject(expected)
  })

  it('is left out where it takes nothing from a payer', () => {
    for (const transaction_type of ['CREDIT', 'BALANCE', 'SETTLE-BATCH'])
      expect(read({ transaction_type, transaction_id: null })).toBeUndefined()
  })

  it.each([
    ['transaction_type', undefined],
    ['transaction_id', null],
    ['transaction_id', '4111111111111111'],
    ['transaction_timestamp', '05/01/2026'],
    ['transaction_timestamp', '2026-01-05 10:20:30 \u001b[2J'],
    ['transaction_amount', undefined],
    ['transaction_amount', '1,000.00'],
    ['transaction_amount', '4111111111111111'],
    ['transaction_approved', undefined],
    ['transaction_approved', 'perhaps'],
    ['custom_id', {}],
  ])('without a %s that can be read (%s) is an error, which names it and no value', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(
      new ForeignReport(`a row of the report has no ${name} that can be read`),
    )
  })

  it.each(['', '{', '[]', 'null', '1'])('is not %j', (text) => {
    expect(() => readRow(text)).toThrow(ForeignReport)
  })

  it('has whole cents', () => {
    expect(['10', '10.1', '10.10', '0.10', '-5.00', '1.100'].map(toCents)).toEqual([1000, 1010, 1010, 10, 500, 110])
    expect(['', '.5', '1.005', '1e3', '$1', '1 000'].map(toCents)).toEqual(Array(6).fill(undefined))
  })
})
