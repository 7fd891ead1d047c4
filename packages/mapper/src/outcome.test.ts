import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer } from './answer.ts'
import { accepted, authorization, bankCharge, declinedCharge, visaCharge, visaToken } from './fixtures.ts'
import { hostileBody, httpStatus, isYes, spoiledMembers } from './hostile-answers.ts'
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

  it.each(['4111111111111111', 'A-1', '<b>'])('approved under %j, which is no id, is unanswered', (id) => {
    expect(kind({ ...saleApproved, transaction_id: id }, asked(visaCharge))).toBe('unanswered')
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
    ['an error with code 0, spelled otherwise', { ...saleDeclined, error_code: '-0.0' }],
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

/** A "null" in quotes says as little as one without. */
const isSaid = (value: unknown) => !/^(undefined|null)?$/i.test(String(value).trim())

describe('whatever PayConex sends', () => {
  const ours = fc.constantFrom(sale, store, { ...sale, isRepeat: true })

  it('never throws, and is an approval only where the id and a yes can be read', () => {
    fc.assert(
      fc.property(httpStatus, hostileBody, ours, (status, bodyText, question) => {
        if (interpretAnswer(status, bodyText, question).kind !== 'approved') return
        expect(bodyText).toContain(question === store ? '12347' : '12345')
        expect(bodyText).toContain(question === store ? 'error' : 'transaction_approved')
      }),
      { numRuns: 5000 },
    )
  })

  it('is an approved SALE only with approval, the reserved id, the amount and no error', () => {
    let approvals = 0
    fc.assert(
      fc.property(httpStatus, spoiledMembers, (status, members) => {
        if (kind(members, sale, status) !== 'approved') return
        approvals += 1
        expect(status).toBeLessThan(300)
        expect(isYes(members.transaction_approved)).toBe(true)
        expect(isYes(members.error)).toBe(false)
        expect(Number(members.transaction_id)).toBe(12345)
        expect(Number([members.transaction_amount, members.request_amount].find(isSaid))).toBe(10)
        expect(Number(isSaid(members.error_code) ? members.error_code : 0)).toBe(0)
      }),
      { numRuns: 5000 },
    )
    expect(approvals).toBeGreaterThan(0)
  })

  it('is an approved STORE only with the reserved id and the word that there was no error', () => {
    let approvals = 0
    fc.assert(
      fc.property(httpStatus, spoiledMembers, (status, members) => {
        if (kind(members, store, status) !== 'approved') return
        approvals += 1
        expect(Number(members.transaction_id)).toBe(12347)
        expect(String(members.error).trim()).toMatch(/^(false|0|n|no)$/i)
      }),
      { numRuns: 5000 },
    )
    expect(approvals).toBeGreaterThan(0)
  })

  it('is a decline only with an error, without approval and not under another id', () => {
    let declines = 0
    fc.assert(
      fc.property(httpStatus, spoiledMembers, (status, members) => {
        if (kind(members, sale, status) !== 'declined') return
        declines += 1
        expect(isYes(members.error)).toBe(true)
        expect(isYes(members.transaction_approved)).toBe(false)
        expect([12345, 0]).toContain(Number(members.transaction_id === 'null' ? 0 : (members.transaction_id ?? 0)))
      }),
      { numRuns: 5000 },
    )
    expect(declines).toBeGreaterThan(0)
  })

  it('means the same, whether it is read for that or was read before', () => {
    let outcomes = 0
    fc.assert(
      fc.property(httpStatus, hostileBody, (status, bodyText) => {
        const answer = readAnswer(bodyText)
        if (!answer) return
        outcomes += 1
        expect(interpretAnswer(status, answer, sale)).toEqual(interpretAnswer(status, bodyText, sale))
      }),
      { numRuns: 2000 },
    )
    expect(outcomes).toBeGreaterThan(0)
  })

  it('is not quoted in a reason', () => {
    const outcome = interpret({ ...saleApproved, error: true, error_message: 'PAN 4111111111111111' }, sale)

    expect(outcome).toEqual({ kind: 'unanswered', reason: 'the answer says neither yes nor no' })
  })
})
