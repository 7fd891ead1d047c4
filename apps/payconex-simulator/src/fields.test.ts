import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFields, toCents } from './fields.ts'
import { decimal } from './ledger.ts'

test.each([
  ['5', 500],
  ['5.5', 550],
  ['5.50', 550],
  ['0.01', 1],
  ['999999.99', 99_999_999],
])('%s is an amount', (amount, cents) => {
  expect(toCents(amount)).toBe(cents)
})

test.each(['', '.', '5.', '.5', '-1', '+1', '1e3', '1,00', ' 1', '1000000', '1.005', '١٠', 'NaN'])(
  '"%s" is no amount',
  (amount) => {
    expect(toCents(amount)).toBeUndefined()
  },
)

test('every amount survives being read and written', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 99_999_999 }), (cents) => toCents(decimal(cents)) === cents))
})

test('the last value of a name counts, and an empty one does not', () => {
  expect(readFields('a=1&a=2&b=&c=x+y%21')).toEqual({ a: '2', c: 'x y!' })
})

test('whatever is no form has no fields', () => {
  expect([undefined, {}, 7, ''].map(readFields)).toEqual([{}, {}, {}, {}])
})
