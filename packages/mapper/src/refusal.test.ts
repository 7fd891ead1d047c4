import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer } from './answer.ts'
import { toDeclined } from './refusal.ts'

const declined = (members: Record<string, unknown>) => {
  const answer = readAnswer(JSON.stringify({ error: true, ...members }))
  if (answer === undefined) throw new Error('not an answer')
  return toDeclined(answer)
}

describe('the code of a decline', () => {
  it.each([
    [30002, '30002'],
    ['30370', '30370'],
    ['E-42.b', 'E-42.b'],
    [null, 'declined'],
    ['<b>', 'declined'],
    ['4111111111111111', 'declined'],
    ['4111-1111-1111-1111', 'declined'],
    ['4111.1111.1111.1111', 'declined'],
    ['x'.repeat(21), 'declined'],
  ])('%j is %s', (code, expected) => {
    expect(declined({ error_code: code }).code).toBe(expected)
  })
})

describe('the message of a decline', () => {
  it('is PayConex’s error_message, also where the processor says more', () => {
    expect(declined({ error_message: 'DECLINED', authorization_message: 'CALL AUTH CENTER' }).message).toBe('DECLINED')
  })

  it('is its twin, or the processor’s, when it is missing', () => {
    expect(declined({ error_msg: 'Twin' }).message).toBe('Twin')
    expect(declined({ error_message: ' ', authorization_message: 'CALL AUTH CENTER' }).message).toBe('CALL AUTH CENTER')
  })

  it.each([
    ['  spaced \n\t out ', 'spaced out'],
    ['a\u0000b\u202ec', 'a b c'],
    ['Card 4111111111111111 refused', 'Card refused'],
    ['Card 4111 1111 1111 1111 refused', 'Card refused'],
    ['Account 15-37-85-35', 'Account'],
    ['Account 15\t\n37 85\u000035', 'Account'],
    ['AUTH DECLINED 200', 'AUTH DECLINED'],
    ['Card 41/11/11/11/11/11/11/11 refused', 'Card refused'],
    ['Card 4, 1, 1, 1, 1, 1 refused', 'Card refused'],
    ['Card ④①①① ٤١١١ refused', 'Card refused'],
    ['Key 0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d is wrong', 'Key is wrong'],
    ['api_accesskey=abcdefghijklmnopqrstuvwxyzABCDEF&response_format=JSON', 'api_accesskey=&response_format=JSON'],
    ['Invalid bank_account_number_confirmation', 'Invalid bank_account_number_confirmation'],
  ])('%j is spoken as %j', (message, spoken) => {
    expect(declined({ error_message: message }).message).toBe(spoken)
  })

  it.each([undefined, null, '', '4111111111111111', 7])('%j is a sentence of ours', (message) => {
    expect(declined({ error_message: message }).message).toBe('The payment was declined.')
  })

  it('is short, has no digits of an account and is never empty', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 })
    fc.assert(
      fc.property(text, fc.stringMatching(/^\d{4,19}$/), text, (before, number, behind) => {
        const { message } = declined({ error_message: before + number + behind })
        expect(message).not.toMatch(/\p{N}([^\p{L}\p{N}]?\p{N}){3}|\p{Cc}/u)
        expect(Array.from(message).length).toBeLessThanOrEqual(120)
        expect(message).not.toBe('')
      }),
    )
  })
})
