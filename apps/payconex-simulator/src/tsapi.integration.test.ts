import { expect, test } from 'vitest'
import { eventually, sale, store, withSimulator } from './testing.ts'

const fine = { error: false, error_code: 0, error_message: null, error_msg: null }

test.each(['/api/tsapi/3.8', '/api/tsapi/3.8/'])('%s reserves an id, in exactly these members', (path) =>
  withSimulator(async ({ post }) => {
    const response = await post(path, { action: 'GET_TRANSACTION_ID', response_format: 'JSON' })

    const transaction_id = expect.stringMatching(/^\d{12}$/)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ transaction_id, error: false, error_code: 0, error_message: null })
  }),
)

test('without response_format an id comes in a form', () =>
  withSimulator(async ({ post }) => {
    const response = await post('/api/tsapi/3.8', { action: 'GET_TRANSACTION_ID' })

    expect(await response.text()).toMatch(/^transaction_id=\d{12}&error=0&error_code=0&error_message=$/)
  }))

test('the status of an approved sale', () =>
  withSimulator(async ({ qsapi, status }) => {
    const { transaction_id: id = '' } = await qsapi(sale)

    expect(await status(id)).toEqual({
      found: true,
      transaction_id: id,
      transaction_approved: true,
      authorization_message: 'APPROVED',
      ...fine,
    })
  }))

test('the status of a decline is found, not approved, with its code', () =>
  withSimulator(async ({ qsapi, status }) => {
    const { transaction_id: id = '' } = await qsapi({ ...sale, transaction_amount: '1.01' })

    expect(await status(id)).toEqual({
      found: true,
      transaction_id: id,
      transaction_approved: false,
      authorization_message: 'CALL AUTH CENTER',
      error: true,
      error_code: 30002,
      error_message: 'DECLINED',
      error_msg: 'DECLINED',
    })
  }))

test('the status of a stored card does not speak of approval', () =>
  withSimulator(async ({ qsapi, status }) => {
    const { transaction_id: id = '' } = await qsapi(store)

    expect(await status(id)).toEqual({ found: true, transaction_id: id, ...fine })
  }))

test('an id that was reserved and not used is not found', () =>
  withSimulator(async ({ reserve, status }) => {
    const id = await reserve()

    expect(await status(id)).toEqual({ found: false, transaction_id: id, ...fine })
  }))

test('a sale is not found before it is committed, and found after', () =>
  withSimulator(async ({ control, qsapi, reserve, status }) => {
    const id = await reserve()
    await control('/faults', { fault: 'delay', ms: 500 })
    const answer = qsapi({ ...sale, transaction_id: id })
    await eventually(async () => (await control('/faults')).held === 1)

    expect(await status(id)).toMatchObject({ found: false })
    await answer
    expect(await status(id)).toMatchObject({ found: true, transaction_approved: true })
  }))

test('an account sees its own transactions only', () =>
  withSimulator(async ({ qsapi, tsapi }) => {
    const { transaction_id = '' } = await qsapi(sale)
    const question = { action: 'GET_TRANSACTION_STATUS', transaction_id, account_id: '999999999999' }

    expect(await tsapi(question)).toMatchObject({ found: false })
  }))

test('a status that lags finds nothing at first', () =>
  withSimulator(async ({ control, qsapi, status }) => {
    await control('/settings', { statusLagMs: 1000 })
    const { transaction_id: id = '' } = await qsapi(sale)

    expect(await status(id)).toMatchObject({ found: false })
    await eventually(async () => (await status(id)).found === true)
  }))

test('the status of a captured authorisation is that of the authorisation', () =>
  withSimulator(async ({ qsapi, status }) => {
    const { transaction_id: id = '' } = await qsapi({ ...sale, transaction_type: 'AUTHORIZATION' })
    await qsapi({ transaction_type: 'CAPTURE', token_id: id })

    expect(await status(id)).toMatchObject({ authorization_message: 'APPROVED' })
  }))

test.each([
  ['an unknown account', { action: 'GET_TRANSACTION_ID', account_id: '1' }, 'Invalid account_id'],
  ['a wrong key', { action: 'GET_TRANSACTION_ID', api_accesskey: 'wrong' }, 'Invalid api_accesskey'],
  ['no action', { transaction_id: '000000000001' }, 'Invalid action'],
  ['an action called constructor', { action: 'constructor' }, 'Invalid action'],
  ['a status without an id', { action: 'GET_TRANSACTION_STATUS' }, 'Invalid transaction_id'],
])('%s is refused', (_name, form, message) =>
  withSimulator(async ({ tsapi }) => {
    const answer = await tsapi(form)

    expect(answer).toMatchObject({ error: true, error_message: message, error_msg: message })
    expect(Object.keys(answer)).toHaveLength(4)
  }),
)
