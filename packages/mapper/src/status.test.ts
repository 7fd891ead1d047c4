import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileBody, httpStatus, isYes, spoiled } from './hostile-answers.ts'
import { type AskedStatus, interpretStatus } from './status.ts'

const sale: AskedStatus = { type: 'SALE', reservedId: '000000012345', pastTimeout: true }
const store: AskedStatus = { ...sale, type: 'STORE' }
const reversal: AskedStatus = { ...sale, type: 'REVERSAL' }

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
const notFound = { found: false, transaction_id: '000000012345', error: false, error_code: 0, error_message: null }
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

  it('that finds a reversal approved is a yes, and needs the word', () => {
    expect(look(approved, reversal)).toEqual({ kind: 'approved', transactionId: '000000012345' })
    expect(look(stored, reversal).kind).toBe('unanswered')
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
    ['does not say whether it found anything', { ...notFound, found: null }],
    ['finds nothing, but speaks of an approval', { ...approved, found: false }],
    ['finds nothing of another transaction', { ...notFound, transaction_id: '000000099999' }],
    ['fails itself', { error: true, error_code: 20001, error_message: 'Invalid account_id' }],
    ['finds nothing and has an error', { ...notFound, error: true }],
    ['finds nothing and has an error code', { ...notFound, error_code: 20001 }],
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
})

describe('a transaction is not found', () => {
  it('when PayConex says so', () => {
    expect(look(notFound)).toEqual({ kind: 'not_found' })
    expect(look(notFound, reversal)).toEqual({ kind: 'not_found' })
  })

  it.each([false, 0, '0', 'N', 'no', 'FALSE'])('when PayConex says %j to found, and no more', (found) => {
    expect(look({ found }).kind).toBe('not_found')
  })

  it('in a form likewise', () => {
    expect(interpretStatus(200, 'found=0&transaction_id=000000012345&error=0&error_code=0', sale).kind).toBe(
      'not_found',
    )
  })

  it.each([302, 400, 404, 429, 500])(
    'but not under HTTP status %i, which may come from something in between',
    (status) => {
      expect(look(notFound, sale, status).kind).toBe('unanswered')
    },
  )
})

describe('whatever TSAPI sends', () => {
  const asked = fc.constantFrom(sale, store, reversal, { ...sale, pastTimeout: false })

  it('never throws, and is a yes, a no or "not found" only where it says whether it was found', () => {
    fc.assert(
      fc.property(httpStatus, hostileBody, asked, (status, bodyText, question) => {
        if (interpretStatus(status, bodyText, question).kind === 'unanswered') return
        expect(bodyText).toContain('found')
      }),
      { numRuns: 5000 },
    )
  })

  it('is read only as it is said', () => {
    const read = new Set<string>()
    const members = spoiled(approved, declined, stored, notFound)
    fc.assert(
      fc.property(httpStatus, members, asked, (status, said, question) => {
        const { kind } = look(said, question, status)
        read.add(kind)
        if (kind === 'unanswered') return
        expect(status).toBeLessThan(300)
        expect(isYes(said.found)).toBe(kind !== 'not_found')
        if (kind === 'declined') expect(question.pastTimeout).toBe(true)
        if (kind === 'approved' && question !== store) expect(isYes(said.transaction_approved)).toBe(true)
        if (kind !== 'declined') expect(isYes(said.error)).toBe(false)
        if (kind !== 'contradiction')
          expect([12345, 0]).toContain(Number(said.transaction_id === 'null' ? 0 : (said.transaction_id ?? 0)))
      }),
      { numRuns: 5000 },
    )
    expect(read).toEqual(new Set(['approved', 'declined', 'contradiction', 'unanswered', 'not_found']))
  })
})
