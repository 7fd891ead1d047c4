import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileBody, httpStatus, isYes, spoiledMembers } from './hostile-answers.ts'
import { alreadyReversed, invalidToken, reversalApproved, saleDeclined } from './recorded-answers.ts'
import { type AskedReversal, interpretReversal, toReversal } from './reversal.ts'
import { Secret } from './secret.ts'

const asked: AskedReversal = { chargeId: '000000012345', reservedId: '000000012349' }
const repeated: AskedReversal = { ...asked, isRepeat: true }

const interpret = (members: Record<string, unknown>, question = asked, status = 200) =>
  interpretReversal(status, JSON.stringify(members), question)

const declined = { ...saleDeclined, transaction_id: asked.reservedId }

describe('a reversal', () => {
  it('names the charge as token_id and asks for its own reserved id', () => {
    const accessKey = new Secret('key')

    const fields = toReversal({ ...asked, credentials: { accountId: '120615000000', accessKey }, customId: 'tx-1' })

    expect(fields).toEqual({
      account_id: '120615000000',
      api_accesskey: accessKey,
      response_format: 'JSON',
      transaction_type: 'REVERSAL',
      token_id: '000000012345',
      transaction_id: '000000012349',
      custom_id: 'tx-1',
    })
    expect(fields.api_accesskey).toBe(accessKey)
  })

  it('that is approved has undone the charge, under its own id', () => {
    expect(interpret(reversalApproved)).toEqual({ kind: 'reversed', transactionId: asked.reservedId })
  })

  it('that is approved without naming the charge has undone it too', () => {
    expect(interpret({ ...reversalApproved, original_transaction_id: null }).kind).toBe('reversed')
    expect(interpretReversal(200, 'transaction_id=12349&transaction_approved=1&error=0', asked).kind).toBe('reversed')
  })

  it.each([
    ['the first time', asked],
    ['as a repeat', repeated],
  ])('of a charge that is reversed already, sent %s, is as good, but under an id that nobody knows', (_, question) => {
    expect(interpret(alreadyReversed, question)).toEqual({ kind: 'reversed' })
    expect(interpret({ ...alreadyReversed, error_code: '20687' }, question)).toEqual({ kind: 'reversed' })
  })

  it.each([
    ['under another id', { ...reversalApproved, transaction_id: '000000099999' }],
    ['of another charge', { ...reversalApproved, original_transaction_id: '000000099999' }],
  ])('approved %s is a contradiction', (_, members) => {
    expect(interpret(members).kind).toBe('contradiction')
  })

  it('that is refused passes on the code and message', () => {
    expect(interpret(invalidToken)).toEqual({ kind: 'declined', code: '20006', message: 'Invalid token_id' })
    expect(interpret(declined)).toEqual({ kind: 'declined', code: '30002', message: 'DECLINED' })
  })

  it('that is refused as a repeat says nothing without its transaction_id, because it may mean the id is known', () => {
    expect(interpret(invalidToken, repeated).kind).toBe('unanswered')
    expect(interpret(declined, repeated).kind).toBe('declined')
  })

  it.each([
    ['approved without a transaction_id', { ...reversalApproved, transaction_id: null }],
    ['approved with an error', { ...reversalApproved, error: true }],
    ['approved with an error code', { ...reversalApproved, error_code: 30002 }],
    ['silent about approval', { ...reversalApproved, transaction_approved: null }],
    ['refused under another id', saleDeclined],
    ['"already reversed" without an error', { ...alreadyReversed, error: false }],
    ['"already reversed" with an approval', { ...alreadyReversed, transaction_approved: true }],
    ['empty', {}],
  ])('whose answer is %s is unanswered', (_, members) => {
    expect(interpret(members).kind).toBe('unanswered')
  })

  it.each([302, 404, 408, 429, 500, 502, 503, 504])('approved under HTTP status %i is unanswered', (status) => {
    expect(interpret(reversalApproved, asked, status).kind).toBe('unanswered')
  })

  it('refused under HTTP status 422 is refused, and under 500 is unanswered', () => {
    expect(interpret(alreadyReversed, asked, 422).kind).toBe('reversed')
    expect(interpret(invalidToken, asked, 422).kind).toBe('declined')
    expect(interpret(alreadyReversed, asked, 500).kind).toBe('unanswered')
  })
})

describe('whatever PayConex sends to a reversal', () => {
  it('never throws, and undoes nothing unless it can be read so', () => {
    fc.assert(
      fc.property(httpStatus, hostileBody, fc.constantFrom(asked, repeated), (status, bodyText, question) => {
        if (interpretReversal(status, bodyText, question).kind !== 'reversed') return
        expect(bodyText).toMatch(/12349|20687/)
      }),
      { numRuns: 5000 },
    )
  })

  it('is reversed only when approved under its id, or reversed already', () => {
    let reversals = 0
    fc.assert(
      fc.property(httpStatus, spoiledMembers, (status, members) => {
        const outcome = interpret(members, asked, status)
        if (outcome.kind !== 'reversed') return
        reversals += 1
        const isApproved = isYes(members.transaction_approved)
        expect(outcome.transactionId).toBe(isApproved ? asked.reservedId : undefined)
        expect(isYes(members.error)).toBe(!isApproved)
        expect(Number(isApproved ? members.transaction_id : members.error_code)).toBe(isApproved ? 12349 : 20687)
      }),
      { numRuns: 5000 },
    )
    expect(reversals).toBeGreaterThan(0)
  })
})
