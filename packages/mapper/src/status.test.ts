import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AskedStatus, interpretStatus } from './status.ts'

const sale: AskedStatus = { type: 'SALE', reservedId: '000000012345', pastTimeout: true }
const store: AskedStatus = { ...sale, type: 'STORE' }

const approved = {
  found: true,
  transaction_id: '000000012345',
  transaction_approved: true,
  authorization_message: 'APPROVED',
  error: false,
  error_code: 0,
  error_message: null,
}
const declined = { ...approved, transaction_approved: false, error: true, error_code: 30002, error_message: 'DECLINED' }
const stored = { found: true, transaction_id: '000000012345', error: false, error_code: 0, error_message: null }

const look = (members: Record<string, unknown>, asked = sale, httpStatus = 200) =>
  interpretStatus(httpStatus, JSON.stringify(members), asked)

describe('a look-up', () => {
  it('that finds the transaction approved is a yes, under the reserved id', () => {
    expect(look(approved)).toEqual({ kind: 'approved', transactionId: '000000012345' })
    expect(look({ found: 1, transaction_approved: 'Y' })).toEqual({ kind: 'approved', transactionId: '000000012345' })
  })

  it('that finds it approved before time is up is a yes too', () => {
    expect(look(approved, { ...sale, pastTimeout: false }).kind).toBe('approved')
  })

  it('that finds it with an error code is a no once time is up', () => {
    expect(look(declined)).toEqual({ kind: 'declined', code: '30002', message: 'DECLINED' })
  })

  it('that finds it with an error code before time is up is no answer yet', () => {
    expect(look(declined, { ...sale, pastTimeout: false }).kind).toBe('unanswered')
  })

  it('that finds a stored card without an error is a yes', () => {
    expect(look(stored, store)).toEqual({ kind: 'approved', transactionId: '000000012345' })
  })

  it('that finds a SALE without an error but not approved is no answer yet', () => {
    expect(look(stored, sale).kind).toBe('unanswered')
    expect(look({ ...approved, transaction_approved: false }).kind).toBe('unanswered')
  })

  it('that finds another transaction approved is a contradiction', () => {
    expect(look({ ...approved, transaction_id: '000000099999' }).kind).toBe('contradiction')
  })

  it.each(['Y', 'yes', 1, '1', 'TRUE', true])('may say found as %j', (found) => {
    expect(look({ ...approved, found }).kind).toBe('approved')
  })

  it.each([
    ['finds nothing', { ...approved, found: false }],
    ['does not say whether it found anything', { ...approved, found: null }],
    ['fails itself', { error: true, error_code: 20001, error_message: 'Invalid account_id' }],
    ['finds nothing and has an error', { found: false, error: true, error_code: 1 }],
    ['finds another transaction declined', { ...declined, transaction_id: '000000099999' }],
    ['finds it approved with an error', { ...approved, error: true }],
    ['finds it approved with an error code', { ...approved, error_code: 30002 }],
    ['finds it and says no more', { found: true }],
  ])('that %s is no answer yet', (_what, members) => {
    expect(look(members).kind).toBe('unanswered')
  })

  it.each([
    ['without a code', { ...stored, error_code: null }],
    ['not approved', { ...stored, transaction_approved: false }],
    ['with an error', { ...stored, error: true }],
  ])('that finds a stored card %s is no answer yet', (_what, members) => {
    expect(look(members, store).kind).toBe('unanswered')
  })

  it.each([302, 400, 404, 429, 500])('under HTTP status %i is no answer yet', (status) => {
    expect(look(approved, sale, status).kind).toBe('unanswered')
    expect(look(declined, sale, status).kind).toBe('unanswered')
  })

  it('with whatever text never throws and never says yes or no', () => {
    fc.assert(fc.property(fc.string(), (bodyText) => interpretStatus(200, bodyText, sale).kind === 'unanswered'))
  })
})
