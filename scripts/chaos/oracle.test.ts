import { describe, expect, it } from 'vitest'
import { type Books, type Call, type Charge, judge, type OurRecord } from './oracle.ts'

const account = '120615000001'

/** A payment that went well: one charge, one record, one caller who heard of it. */
const charge: Charge = {
  transaction_id: '000000000001',
  account_id: account,
  transaction_type: 'SALE',
  custom_id: 'c1',
  transaction_amount: '12.50',
  approved: true,
}
const record: OurRecord = {
  customId: 'c1',
  account,
  method: 'charge',
  state: 'approved',
  attempt: 1,
  id: '000000000001',
}
const call: Call = {
  customId: 'c1',
  account,
  method: 'charge',
  amount: '12.50',
  role: 'pays',
  isSecond: false,
  begun: 1000,
  ended: 1100,
  tries: 1,
  told: { kind: 'approved', id: '000000000001' },
  fault: undefined,
}

const books = (planted: Partial<Books> = {}): Books => ({
  payconex: [charge],
  ours: [record],
  callers: [call],
  ...planted,
})
const found = (planted: Partial<Books>) => judge(books(planted)).map(({ count, rule }) => `${count}: ${rule}`)
const told = (kind: 'not_processed' | 'unconfirmed' | 'transaction_id_reused'): Call => ({ ...call, told: { kind } })

const TWICE = 'charged_twice: charged twice'
const IN_VAIN = 'false_answers: told approved, but it is not'
const AFTER_NO = 'false_answers: told no, but it is charged'
const UNASKED = 'false_answers: charged what nobody asked for'
const BOOKS = 'false_answers: our books say otherwise than PayConex'
const OPEN = 'unresolved: still open'
const REVIEW = 'unresolved: for a person to look at, without reason'
const UNRECORDED = 'unresolved: no record'

describe('books that agree', () => {
  it.each<[string, Partial<Books>]>([
    ['one charge, told to its caller', {}],
    [
      'a decline, told to its caller',
      {
        payconex: [{ ...charge, approved: false }],
        ours: [{ ...record, state: 'declined', id: '' }],
        callers: [{ ...call, told: { kind: 'declined', code: '30002' } }],
      },
    ],
    [
      'nothing sent, and told so',
      { payconex: [], ours: [{ ...record, state: 'not_sent', id: '' }], callers: [told('not_processed')] },
    ],
    ['a charge whose caller heard that it is not known', { callers: [told('unconfirmed')] }],
    ['a charge whose caller heard nothing', { callers: [{ ...call, told: undefined }] }],
    [
      'a caller who heard of a ledger that is away, and no record',
      { payconex: [], ours: [], callers: [told('unconfirmed')] },
    ],
    [
      'one charge under an id, one stored card under the same',
      {
        payconex: [
          charge,
          { ...charge, transaction_id: '000000000002', transaction_type: 'STORE', transaction_amount: '0.00' },
        ],
        ours: [record, { ...record, method: 'tokenize', id: '000000000002' }],
        callers: [call, { ...call, method: 'tokenize', amount: '', told: { kind: 'approved', id: '000000000002' } }],
      },
    ],
    [
      'an approval that nobody heard of, reversed',
      {
        payconex: [charge, reversal()],
        ours: [{ ...record, state: 'reversed' }],
        callers: [told('not_processed')],
      },
    ],
    [
      'a no, and a later attempt of another caller',
      { ours: [{ ...record, attempt: 2 }], callers: [told('not_processed'), { ...call, begun: 1200, ended: 1300 }] },
    ],
    [
      'a contradiction that a person must look at',
      {
        payconex: [{ ...charge, transaction_amount: '6.25' }],
        ours: [{ ...record, state: 'review' }],
        callers: [{ ...told('unconfirmed'), fault: { fault: 'other_amount' } }],
      },
    ],
    [
      'the same id with another amount, refused',
      { callers: [call, { ...told('transaction_id_reused'), amount: '13.50' }] },
    ],
  ])('%s: nothing is found', (_, planted) => {
    expect(found(planted)).toEqual([])
  })
})

function reversal(): Charge {
  return {
    ...charge,
    transaction_id: '000000000009',
    transaction_type: 'REVERSAL',
    custom_id: null,
    original_transaction_id: charge.transaction_id,
  }
}

describe('a charge of another amount', () => {
  const half = { ...charge, transaction_amount: '6.25' }

  it('is counted, but no falsehood of ours, when PayConex took it unasked and its answer was lost', () => {
    const callers: Call[] = [{ ...call, fault: { fault: 'other_amount' } }]

    expect(found({ payconex: [half], callers })).toEqual([
      'partly_charged: charged another amount, and nobody could know',
    ])
  })

  it('is a falsehood when PayConex did nothing of the kind', () => {
    expect(found({ payconex: [half] })).toEqual([IN_VAIN, UNASKED])
  })
})

describe('a double charge', () => {
  const second = { ...charge, transaction_id: '000000000002' }

  it('is found', () => {
    expect(found({ payconex: [charge, second] })).toEqual([TWICE])
  })

  it('is found when one of the two was reversed since', () => {
    expect(
      found({ payconex: [charge, second, { ...reversal(), original_transaction_id: second.transaction_id }] }),
    ).toEqual([TWICE])
  })

  it('is found for another amount under the same id', () => {
    expect(found({ payconex: [charge, { ...second, transaction_amount: '13.50' }] })).toContain(TWICE)
  })

  it('is no double charge when the other was declined, or belongs to another account', () => {
    expect(found({ payconex: [charge, { ...second, approved: false }] })).toEqual([])
    expect(found({ payconex: [charge, { ...second, account_id: '999999999999' }] })).not.toContain(TWICE)
  })
})

describe('a false answer', () => {
  it.each<[string, Partial<Books>, string[]]>([
    ['approved, but nothing was charged', { payconex: [] }, [IN_VAIN, BOOKS]],
    ['approved, but PayConex declined', { payconex: [{ ...charge, approved: false }] }, [IN_VAIN, BOOKS]],
    ['approved with another id', { callers: [{ ...call, told: { kind: 'approved', id: '000000000777' } }] }, [IN_VAIN]],
    [
      'approved, then reversed',
      { payconex: [charge, reversal()], ours: [{ ...record, state: 'reversed' }] },
      [IN_VAIN],
    ],
    ['approved with another amount', { payconex: [{ ...charge, transaction_amount: '12.51' }] }, [IN_VAIN, UNASKED]],
    ['not processed, but charged', { callers: [told('not_processed')] }, [AFTER_NO]],
    ['declined, but charged', { callers: [{ ...call, told: { kind: 'declined', code: '30002' } }] }, [AFTER_NO]],
    [
      'not processed, but charged, with an attempt more and nobody who asked for it',
      { ours: [{ ...record, attempt: 2 }], callers: [told('not_processed')] },
      [AFTER_NO],
    ],
    [
      'not processed, but charged, with another caller and no attempt more',
      { callers: [told('not_processed'), { ...call, begun: 1200, ended: 1300 }] },
      [AFTER_NO],
    ],
    ['two callers of one request: yes and no', { callers: [call, told('not_processed')] }, [AFTER_NO]],
    ['the id is reused, but charged for this very request', { callers: [told('transaction_id_reused')] }, [AFTER_NO]],
    [
      'a web page',
      { callers: [{ ...call, told: { kind: 'other', says: '502 <html>' } }] },
      ['false_answers: an answer that is none'],
    ],
  ])('is found: %s', (_, planted, expected) => {
    expect(found(planted)).toEqual(expected)
  })
})

describe('books that disagree', () => {
  it.each<[string, Partial<Books>, string[]]>([
    [
      'ours say not sent, PayConex has it',
      { ours: [{ ...record, state: 'not_sent', id: '' }], callers: [told('unconfirmed')] },
      [BOOKS],
    ],
    [
      'ours name another charge',
      { ours: [{ ...record, id: '000000000777' }], callers: [told('unconfirmed')] },
      [BOOKS],
    ],
    [
      'ours say reversed, PayConex has it',
      { ours: [{ ...record, state: 'reversed' }], callers: [told('unconfirmed')] },
      [BOOKS],
    ],
    [
      'ours say reversed, nothing was ever charged',
      { payconex: [], ours: [{ ...record, state: 'reversed' }], callers: [told('unconfirmed')] },
      [BOOKS],
    ],
    ['PayConex charged somebody who never called', { ours: [], callers: [] }, [UNASKED, UNRECORDED]],
    [
      'PayConex charged an amount that nobody named',
      { payconex: [{ ...charge, transaction_amount: '99.00' }], callers: [told('unconfirmed')] },
      [UNASKED],
    ],
    [
      'an answer was given, ours know nothing',
      { payconex: [], ours: [], callers: [told('not_processed')] },
      [UNRECORDED],
    ],
  ])('are found: %s', (_, planted, expected) => {
    expect(found(planted)).toEqual(expected)
  })
})

describe('an unresolved payment', () => {
  it.each(['accepted', 'sending', 'unconfirmed', 'reversing'])('is found: %s', (state) => {
    expect(found({ ours: [{ ...record, state, id: '' }], callers: [told('unconfirmed')] })).toEqual([OPEN])
  })

  it('is none: unconfirmed where PayConex contradicts itself and has no charge, so that nothing proves its absence', () => {
    const callers = [{ ...told('unconfirmed'), fault: { fault: 'other_id' } }]
    const ours = [{ ...record, state: 'unconfirmed', id: '' }]

    expect(found({ payconex: [], ours, callers })).toEqual([])
    expect(found({ ours, callers })).toEqual([OPEN])
    expect(found({ payconex: [], ours: [{ ...record, state: 'sending', id: '' }], callers })).toEqual([OPEN])
  })

  it('is found: in review, although PayConex never contradicted itself', () => {
    expect(found({ ours: [{ ...record, state: 'review', id: '' }], callers: [told('unconfirmed')] })).toEqual([REVIEW])
  })

  it('is named with what is known of it', () => {
    expect(judge(books({ ours: [{ ...record, state: 'sending' }] }))).toEqual([
      { count: 'unresolved', rule: 'still open', payment: `${account} charge c1`, says: 'sending' },
    ])
  })
})
