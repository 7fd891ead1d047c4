import { describe, expect, it } from 'vitest'
import { toPayReply, type Verdict } from './pay-reply.ts'

const ours: Verdict[] = [
  { kind: 'invalid_request', field: 'cardnumber' },
  { kind: 'not_processed' },
  { kind: 'unconfirmed' },
  { kind: 'transaction_id_reused' },
  { kind: 'unauthorized' },
]
const fields = [
  ...['method', 'transaction_id', 'cardnumber', 'cvv', 'expiry_month', 'expiry_year', 'bankaccountnumber'],
  ...['routingnumber', 'amount', 'currency_code', 'description', 'postal_code', 'parameters'],
]

describe('a reply', () => {
  it('to an approved charge is its id', () => {
    expect(toPayReply('charge', { kind: 'approved', transactionId: '000000012345' })).toEqual({
      charge_id: '000000012345',
      error_code: null,
      error_message: null,
    })
  })

  it('to an approved token is its id', () => {
    expect(toPayReply('tokenize', { kind: 'approved', transactionId: '000000012347' })).toEqual({
      token_id: '000000012347',
      error_code: null,
      error_message: null,
    })
  })

  it('to a decline is PayConex’s code and message', () => {
    expect(toPayReply('charge', { kind: 'declined', code: '30002', message: 'DECLINED' })).toEqual({
      charge_id: null,
      error_code: '30002',
      error_message: 'DECLINED',
    })
  })

  it.each(ours)('that is $kind has that code and a plain sentence', (verdict) => {
    const reply = toPayReply('tokenize', verdict)

    expect(Object.keys(reply)).toEqual(['token_id', 'error_code', 'error_message'])
    expect(reply).toMatchObject({ token_id: null, error_code: verdict.kind })
    expect(reply.error_message).toMatch(/^[A-Z][A-Za-z .]{10,80}\.$/)
  })

  it.each(fields)('to a request whose %s is wrong names it in words', (field) => {
    const { error_message } = toPayReply('charge', { kind: 'invalid_request', field })

    expect(error_message).toMatch(/^The [A-Za-z ]+ is missing or not valid\.$/)
    expect(error_message).not.toContain('The request')
  })

  it('to a request with an unknown fault does not name it', () => {
    const { error_message } = toPayReply('charge', { kind: 'invalid_request', field: '4111111111111111' })

    expect(error_message).toBe('The request is missing or not valid.')
  })
})
