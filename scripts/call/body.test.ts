import { expect, it } from 'vitest'
import { bodyFrom, endpointFor } from './body.ts'
import { readFlags } from './options.ts'

const body = (...args: string[]) => bodyFrom(readFlags(args))

it('sends the example of a card charge when nothing is said', async () => {
  const sent = await body()

  expect(sent).toMatchObject({ method: 'charge', cardnumber: '4111111111111111', amount: '10.0' })
})

it('gives every call a transaction_id of its own, unless one is named', async () => {
  const [one, other, named] = await Promise.all([body(), body(), body('--id', 'abc')])

  expect(one.transaction_id).not.toBe(other.transaction_id)
  expect(named.transaction_id).toBe('abc')
})

it('changes what is named and leaves the rest', async () => {
  const sent = await body('--amount', '12.50', '--expiry', '09/28', '--parameter', 'email=ann@example.com')

  expect(sent).toMatchObject({ amount: '12.50', expiry_month: '09', expiry_year: '28', postal_code: '94111' })
  expect(sent.parameters).toMatchObject({ email: 'ann@example.com', first_name: 'Ann' })
})

it('pays from a bank account, with or without naming it', async () => {
  const unnamed = await body('--bank', '--amount', '5.00')
  const named = await body('--bank', '123456789', '--routing', '021000021')

  expect(unnamed).toMatchObject({ bankaccountnumber: '15378535', amount: '5.00' })
  expect(named).toMatchObject({ bankaccountnumber: '123456789', routingnumber: '021000021' })
  expect(named).not.toHaveProperty('cardnumber')
})

it('stores a card without an amount', async () => {
  const sent = await body('--tokenize')

  expect(sent.method).toBe('tokenize')
  expect(sent).not.toHaveProperty('amount')
})

it('says which option cannot be read', async () => {
  expect(() => readFlags(['--tries', '0'])).toThrow('--tries')
  expect(() => readFlags(['--amonut', '1'])).toThrow('--amonut')
  await expect(body('--expiry', '8-27')).rejects.toThrow('--expiry')
  await expect(body('--parameter', 'email')).rejects.toThrow('--parameter')
})

it('names the method in the path when the request is of the old form', () => {
  expect(endpointFor('http://bridge/pay', { amount: '1.00' })).toBe('http://bridge/pay/charge')
  expect(endpointFor('http://bridge/pay/', {})).toBe('http://bridge/pay/tokenize')
  expect(endpointFor('http://bridge/pay', { method: 'charge' })).toBe('http://bridge/pay')
})
