import { describe, expect, it } from 'vitest'
import { interpretReservation } from './reservation.ts'

const reserve = (members: Record<string, unknown>, httpStatus = 200) =>
  interpretReservation(httpStatus, JSON.stringify(members))

describe('a reservation', () => {
  it.each(['000000012345', 12345, '12345'])('with the id %j is twelve digits', (id) => {
    const members = { transaction_id: id, error: false, error_code: 0, error_message: null }

    expect(reserve(members)).toEqual({ kind: 'reserved', transactionId: '000000012345' })
  })

  it('needs no more than the id', () => {
    expect(reserve({ transaction_id: '000000012345' }).kind).toBe('reserved')
    expect(interpretReservation(200, 'transaction_id=000000012345').kind).toBe('reserved')
  })

  it.each([200, 401])('refused with HTTP status %i is declined', (status) => {
    expect(reserve({ error: true, error_code: 20001, error_message: 'Invalid account_id' }, status)).toEqual({
      kind: 'declined',
      code: '20001',
      message: 'Invalid account_id',
    })
  })

  it.each([
    ['without an id', { error: false, error_code: 0 }],
    ['with the id zero', { transaction_id: 0 }],
    ['with an id that is not digits', { transaction_id: 'abc' }],
    ['with too long an id', { transaction_id: '1234567890123' }],
    ['with an error code beside the id', { transaction_id: '000000012345', error_code: 20001 }],
    ['with an error of code 0', { transaction_id: '000000012345', error: true, error_code: 0 }],
    ['that is empty', {}],
  ])('%s is unanswered', (_what, members) => {
    expect(reserve(members).kind).toBe('unanswered')
  })

  it('under an HTTP error, or as a page, is unanswered', () => {
    expect(reserve({ transaction_id: '000000012345' }, 500).kind).toBe('unanswered')
    expect(interpretReservation(200, '<html></html>').kind).toBe('unanswered')
  })
})
