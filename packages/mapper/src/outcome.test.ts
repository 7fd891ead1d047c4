import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accepted, authorization, bankCharge, declinedCharge, visaCharge, visaToken } from './fixtures.ts'
import { type Asked, interpretAnswer } from './outcome.ts'
import {
  achSaleApproved,
  cardUnreadable,
  invalidRouting,
  saleApproved,
  saleDeclined,
  storeApproved,
} from './recorded-answers.ts'
import { Secret } from './secret.ts'
import { toTransaction } from './transaction.ts'

const credentials = { accountId: '120615000000', accessKey: new Secret('k') }
const options = { extraParameters: [], defaultParameters: {} }
const asked = (body: Record<string, unknown>, reservedId?: string): Asked => ({
  transaction: toTransaction(accepted(body), credentials, options).transaction,
  reservedId,
})

const sale = asked(visaCharge, '000000012345')
const store = asked(visaToken, '000000012347')
const interpret = (members: Record<string, unknown>, question: Asked, httpStatus = 200) =>
  interpretAnswer(httpStatus, JSON.stringify(members), question)
const kind = (members: Record<string, unknown>, question: Asked, httpStatus = 200) =>
  interpret(members, question, httpStatus).kind

describe('a SALE', () => {
  it('is approved under the reserved id', () => {
    expect(interpret(saleApproved, sale)).toEqual({ kind: 'approved', transactionId: '000000012345' })
  })

  it('is approved under any id when none was reserved', () => {
    expect(interpret(saleApproved, asked(visaCharge))).toEqual({ kind: 'approved', transactionId: '000000012345' })
  })

  it('of a bank account is approved when the bank still has to say so', () => {
    expect(interpret(achSaleApproved, asked(bankCharge, '000000012348')).kind).toBe('approved')
  })

  it('that only authorizes is approved likewise', () => {
    expect(kind({ ...saleApproved, transaction_type: 'AUTHORIZATION' }, asked(authorization))).toBe('approved')
  })

  it.each([true, 1, '1', 'Y', 'yes', 'TRUE'])('is approved with %j', (word) => {
    expect(kind({ ...saleApproved, transaction_approved: word }, sale)).toBe('approved')
  })

  it('is approved in form text although JSON was asked for', () => {
    const form = 'transaction_id=000000012345&transaction_approved=1&transaction_amount=10.00&error=&error_code=0'

    expect(interpretAnswer(200, form, sale)).toEqual({ kind: 'approved', transactionId: '000000012345' })
  })

  it.each([10, '10', '10.0', '10.00', '0010.000'])('is approved with the amount spelled %j', (amount) => {
    expect(kind({ ...saleApproved, transaction_amount: amount }, sale)).toBe('approved')
  })

  it.each([0, 1, 9.99, 10.01, '10.001', '10,00', '-10', 'ten', 1e21])(
    'approved with the amount %j is a contradiction',
    (amount) => {
      expect(kind({ ...saleApproved, transaction_amount: amount }, sale)).toBe('contradiction')
    },
  )

  it('approved with no more than the amount asked for is approved', () => {
    const { transaction_amount, ...members } = saleApproved

    expect(kind(members, sale)).toBe('approved')
    expect(kind({ ...members, request_amount: 9 }, sale)).toBe('contradiction')
  })

  it('approved without any amount is unanswered: the look-up knows more', () => {
    expect(kind({ ...saleApproved, transaction_amount: null, request_amount: null }, sale)).toBe('unanswered')
  })

  it('approved under another id than the reserved one is a contradiction', () => {
    expect(kind({ ...saleApproved, transaction_id: '000000099999' }, sale)).toBe('contradiction')
  })

  it.each([
    ['approved without a transaction_id', { ...saleApproved, transaction_id: null }],
    ['approved with an error', { ...saleApproved, error: true }],
    ['approved with an error code', { ...saleApproved, error_code: 30002 }],
    ['neither approved nor an error', { ...saleApproved, transaction_approved: false }],
    ['silent about approval', { ...saleApproved, transaction_approved: null }],
    ['an error with code 0', { ...saleDeclined, error_code: 0 }],
    ['declined without an error', { ...saleDeclined, error: false }],
    ['declined and silent about an error', { ...saleDeclined, error: null }],
    ['unreadable in one member', { ...saleApproved, error: 'perhaps' }],
    ['empty', {}],
  ])('whose answer is %s is unanswered', (_what, members) => {
    expect(kind(members, sale)).toBe('unanswered')
  })

  it.each(['', '<html>Request blocked</html>', '{"transaction_approved":true', 'null'])(
    'whose answer is %j is unanswered',
    (bodyText) => {
      expect(interpretAnswer(200, bodyText, sale).kind).toBe('unanswered')
    },
  )
})

describe('a decline', () => {
  it('passes on PayConex’s code and message', () => {
    const question = asked(declinedCharge, '000000012346')

    expect(interpret(saleDeclined, question)).toEqual({ kind: 'declined', code: '30002', message: 'DECLINED' })
  })

  it.each([
    ['20019', invalidRouting, bankCharge],
    ['30370', cardUnreadable, visaCharge],
  ])('with code %s needs no transaction_id', (code, members, body) => {
    expect(interpret(members, asked(body, '000000012345'))).toMatchObject({ kind: 'declined', code })
  })

  it('without any code is called declined', () => {
    expect(interpret({ error: true, error_message: 'Security Violation' }, sale)).toEqual({
      kind: 'declined',
      code: 'declined',
      message: 'Security Violation',
    })
  })

  it('under another id than the reserved one is unanswered', () => {
    expect(kind(saleDeclined, sale)).toBe('unanswered')
  })

  it('under any id counts when none was reserved', () => {
    expect(kind(saleDeclined, asked(declinedCharge))).toBe('declined')
  })

  it('of a repeat says nothing without a transaction_id, because it may mean the id is known already', () => {
    expect(kind(invalidRouting, { ...sale, isRepeat: true })).toBe('unanswered')
    expect(kind({ ...saleDeclined, transaction_id: '000000012345' }, { ...sale, isRepeat: true })).toBe('declined')
  })
})

describe('a STORE', () => {
  it('is approved without the word', () => {
    expect(interpret(storeApproved, store)).toEqual({ kind: 'approved', transactionId: '000000012347' })
  })

  it('under another id than the reserved one is a contradiction', () => {
    expect(kind({ ...storeApproved, transaction_id: '000000099999' }, store)).toBe('contradiction')
  })

  it.each([
    ['has no transaction_id', { ...storeApproved, transaction_id: null }],
    ['does not say that there was no error', { ...storeApproved, error: null }],
    ['was not approved after all', { ...storeApproved, transaction_approved: false }],
    ['has an error code', { ...storeApproved, error_code: 20019 }],
    ['is approved with an error', { ...storeApproved, transaction_approved: true, error: true, error_code: 1 }],
  ])('that %s is unanswered', (_what, members) => {
    expect(kind(members, store)).toBe('unanswered')
  })

  it('with an error is declined', () => {
    expect(interpret(cardUnreadable, store)).toEqual({
      kind: 'declined',
      code: '30370',
      message: 'CARD DATA UNREADABLE',
    })
  })
})

describe('the HTTP status', () => {
  it.each([200, 201, 299])('%i lets the answer speak', (status) => {
    expect(kind(saleApproved, sale, status)).toBe('approved')
  })

  it.each([400, 401, 403, 404, 405, 413, 415, 422])('%i is a decline when the body is a refusal', (status) => {
    expect(interpret(invalidRouting, sale, status)).toMatchObject({ kind: 'declined', code: '20019' })
  })

  it.each([
    ['an approval', saleApproved],
    ['a refusal that does not say why', { error: true }],
    ['an error with code 0', { ...invalidRouting, error_code: 0 }],
    ['something else', { message: 'Not found' }],
  ])('400 is no answer when the body is %s', (_what, members) => {
    expect(kind(members, sale, 400)).toBe('unanswered')
  })

  it.each([100, 199, 300, 302, 402, 408, 409, 418, 425, 429, 500, 502, 503, 504, 0, Number.NaN])(
    '%d is no answer, whatever the body',
    (status) => {
      expect(kind(saleApproved, sale, status)).toBe('unanswered')
      expect(kind(invalidRouting, sale, status)).toBe('unanswered')
    },
  )
})

describe('whatever PayConex sends', () => {
  const word = fc.constantFrom(true, false, 1, 0, '1', '0', 'Y', 'N', null, '', 'maybe', undefined)
  const changes = fc.record(
    {
      transaction_id: fc.constantFrom('000000012345', 12345, '000000099999', '', null),
      transaction_approved: word,
      error: word,
      error_code: fc.constantFrom(0, '0', 30002, '30370', '', null, 'x'),
      error_message: fc.oneof(fc.string(), fc.constant(null)),
      transaction_amount: fc.constantFrom(10, '10.00', 9.99, null, ''),
      request_amount: fc.constantFrom(10, null),
    },
    { requiredKeys: [] },
  )
  const recorded = fc.constantFrom({}, saleApproved, { ...saleDeclined, transaction_id: '000000012345' })
  const answer = fc.tuple(recorded, changes).map(([members, changed]) => ({ ...members, ...changed }))
  const isYes = (value: unknown) => [true, 1, '1', 'Y'].some((yes) => yes === value)
  const status = fc.constantFrom(200, 201, 302, 400, 422, 429, 500)

  it('as text never throws and never invents an approval', () => {
    fc.assert(
      fc.property(status, fc.string(), (code, bodyText) => interpretAnswer(code, bodyText, sale).kind !== 'approved'),
    )
  })

  it('as JSON never throws', () => {
    fc.assert(
      fc.property(
        status,
        fc.json(),
        (code, bodyText) => typeof interpretAnswer(code, bodyText, store).kind === 'string',
      ),
    )
  })

  it('is an approved SALE only with approval, the reserved id, the amount and no error', () => {
    fc.assert(
      fc.property(status, answer, (code, members) => {
        if (kind(members, sale, code) !== 'approved') return
        expect(code).toBeLessThan(300)
        expect(isYes(members.transaction_approved)).toBe(true)
        expect(isYes(members.error)).toBe(false)
        expect(Number(members.transaction_id)).toBe(12345)
        expect(Number(members.transaction_amount || members.request_amount)).toBe(10)
        expect([30002, '30370', 'x']).not.toContain(members.error_code)
      }),
      { numRuns: 1000 },
    )
  })

  it('is a decline only with an error, without approval and not under another id', () => {
    fc.assert(
      fc.property(status, answer, (code, members) => {
        if (kind(members, sale, code) !== 'declined') return
        expect(isYes(members.error)).toBe(true)
        expect(isYes(members.transaction_approved)).toBe(false)
        expect(members.transaction_id).not.toBe('000000099999')
      }),
      { numRuns: 1000 },
    )
  })

  it('is not quoted in a reason', () => {
    const outcome = interpret({ ...saleApproved, error: true, error_message: 'PAN 4111111111111111' }, sale)

    expect(outcome).toEqual({ kind: 'unanswered', reason: 'the answer says neither yes nor no' })
  })
})
