import { describe, expect, it } from 'vitest'
import { readAnswer } from './answer.ts'
import * as recorded from './recorded-answers.ts'

const { saleApproved, saleDeclined } = recorded

const read = (members: Record<string, unknown>) => readAnswer(JSON.stringify(members))

describe('an answer of PayConex', () => {
  it('is read from JSON', () => {
    expect(read(saleApproved)).toEqual({
      transactionId: '000000012345',
      originalId: undefined,
      isApproved: true,
      isError: false,
      isFound: undefined,
      code: '0',
      messages: [undefined, undefined, 'APPROVED'],
      amount: '10',
    })
  })

  it('is read from a form just the same', () => {
    const said = Object.entries(saleDeclined).filter(([, value]) => value !== null)
    const form = new URLSearchParams(said.map(([name, value]): [string, string] => [name, String(value)]))

    expect(readAnswer(form.toString())).toEqual(read(saleDeclined))
  })

  it.each(['\uFEFF', ' \r\n\t', '\n\uFEFF '])('may begin with %j', (start) => {
    expect(readAnswer(start + JSON.stringify(saleApproved))).toEqual(read(saleApproved))
    expect(readAnswer(`${start}error=1&error_code=20019`)).toMatchObject({ isError: true, code: '20019' })
  })

  it.each([true, 1, '1', 'Y', 'y', 'yes', 'YES', 'true', 'True'])('says yes with %j', (word) => {
    expect(read({ transaction_approved: word, error: word, found: word })).toMatchObject({
      isApproved: true,
      isError: true,
      isFound: true,
    })
  })

  it.each([false, 0, '0', 'N', 'n', 'no', 'NO', 'false', 'False'])('says no with %j', (word) => {
    expect(read({ transaction_approved: word, error: word, found: word })).toMatchObject({
      isApproved: false,
      isError: false,
      isFound: false,
    })
  })

  it.each([
    ['in JSON', '{"transaction_approved":true,"error":false,"transaction_approved":false}'],
    ['in JSON, once in capitals', '{"transaction_approved":true,"TRANSACTION_APPROVED":false}'],
    ['in JSON, once escaped', '{"transaction_approved":true,"\\u0074ransaction_approved":false}'],
    ['in JSON, once as nothing', '{"transaction_approved":true,"transaction_approved":null}'],
    ['in a form', 'transaction_approved=1&error=0&transaction_approved=0'],
  ])('that says yes and no %s cannot be read', (_, bodyText) => {
    expect(readAnswer(bodyText)).toBeUndefined()
  })

  it.each(['{"error":true,"error":true}', 'error=1&ERROR=1'])('may say the same twice: %s', (bodyText) => {
    expect(readAnswer(bodyText)).toMatchObject({ isError: true })
  })

  it('says what it says in capitals', () => {
    expect(readAnswer('{"TRANSACTION_APPROVED":false}')).toMatchObject({ isApproved: false })
  })

  it.each(['null', 'NULL', ' '])('has no code where it is %j', (code) => {
    expect(read({ error_code: code })).toHaveProperty('code', undefined)
  })

  it.each([null, '', undefined])('says nothing with %j', (word) => {
    expect(read({ transaction_approved: word })).toHaveProperty('isApproved', undefined)
  })

  it.each(['maybe', 2, -1, 'constructor', [], ['true'], { a: 1 }])('with the boolean %j cannot be read', (word) => {
    expect(read({ ...saleApproved, error: word })).toBeUndefined()
  })

  it.each([
    ['000000012345', '000000012345'],
    [12345, '000000012345'],
    ['12345', '000000012345'],
    [' 000000012345 ', '000000012345'],
    ['A-1', 'A-1'],
    [0, undefined],
    ['000000000000', undefined],
    ['', undefined],
    ['  ', undefined],
    [null, undefined],
  ])('with the transaction_id %j is about %j', (id, transactionId) => {
    expect(read({ transaction_id: id })).toHaveProperty('transactionId', transactionId)
  })

  it.each([
    [30002, '30002'],
    ['30370', '30370'],
    [0, '0'],
    ['', undefined],
    [null, undefined],
  ])('with the error_code %j has the code %j', (code, expected) => {
    expect(read({ error_code: code })).toHaveProperty('code', expected)
  })

  it('states the amount that moved, or else the one that was asked for', () => {
    expect(read({ transaction_amount: 1.01, request_amount: 10 })).toHaveProperty('amount', '1.01')
    expect(read({ transaction_amount: null, request_amount: '10.00' })).toHaveProperty('amount', '10.00')
  })

  it('with a message that is not text has none', () => {
    expect(read({ error: true, error_message: { text: 'x' } })?.messages).toEqual([undefined, undefined, undefined])
  })

  it.each(Object.entries(recorded))('%s cannot be read when it breaks off, wherever that is', (_name, answer) => {
    const whole = JSON.stringify(answer)

    const readable = Array.from(whole, (_, length) => whole.slice(0, length)).filter((part) => readAnswer(part))

    expect(readable).toEqual([])
  })

  it.each([
    '',
    ' ',
    'null',
    'true',
    '42',
    '"approved"',
    '[]',
    '{"transaction_approved":true,',
    '<html><a href="?x&transaction_approved=1&error=0">approved</a></html>',
    'page=1&<b>transaction_approved=1</b>',
    'Internal Server Error',
  ])('cannot be read from %j', (bodyText) => {
    expect(readAnswer(bodyText)).toBeUndefined()
  })
})
