import { expect, it } from 'vitest'
import { toPayAction } from './pay-action.ts'

const answered = (body: Record<string, unknown> | undefined) =>
  toPayAction({ kind: 'answered', ms: 1, status: 200, text: '', body })

it('a charge becomes a confirmation code', () => {
  const action = answered({ charge_id: '000000000012', error_code: null, error_message: null })

  expect(action).toEqual({ Result: 'success', PaymentConfirmationCode: '000000000012' })
})

it('a stored card becomes a token', () => {
  const action = answered({ token_id: '000000000012', error_code: null, error_message: null })

  expect(action).toEqual({ Result: 'success', PaymentToken: '000000000012' })
})

it('a refusal becomes an error with code and sentence', () => {
  const action = answered({ charge_id: null, error_code: '30002', error_message: 'Declined' })

  expect(action).toEqual({
    Result: 'payment-connector-error',
    PaymentError: 'Declined',
    ConnectorError: '30002',
  })
})

it('an answer without code and without id is malformed', () => {
  expect(answered({ charge_id: null, error_code: null }).PaymentError).toContain('malformed')
  expect(answered(undefined).PaymentError).toContain('malformed')
})
