import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expiryMonth, expiryYear, toExpiration } from './expiration.ts'

const read = (month: unknown, year: unknown) => {
  const [readMonth, readYear] = [expiryMonth.safeParse(month), expiryYear.safeParse(year)]
  return readMonth.success && readYear.success ? toExpiration(readMonth.data, readYear.data) : undefined
}

const months = fc.integer({ min: 1, max: 12 })
const years = fc.integer({ min: 0, max: 99 })
const twoDigits = (value: number) => String(value).padStart(2, '0')

describe('an expiration', () => {
  it.each([
    ['08', '27', '0827'],
    ['08', '2027', '0827'],
    ['8', '27', '0827'],
    [8, 2027, '0827'],
    [12, 27, '1227'],
    [1, 5, '0105'],
    ['01', '2000', '0100'],
  ])('of month %j and year %j is %s', (month, year, expected) => {
    expect(read(month, year)).toBe(expected)
  })

  it('in the past is left to PayConex to refuse', () => {
    expect(read('01', '2001')).toBe('0101')
  })

  it('is the same for every month and year in every spelling', () => {
    fc.assert(
      fc.property(months, years, (month, year) => {
        const monthSpellings = [String(month), twoDigits(month), month]
        const yearSpellings = [twoDigits(year), `20${twoDigits(year)}`, year, 2000 + year]
        const all = monthSpellings.flatMap((m) => yearSpellings.map((y) => read(m, y)))
        expect(new Set(all)).toEqual(new Set([twoDigits(month) + twoDigits(year)]))
      }),
    )
  })

  it.each(['0', '00', '13', '008', '', ' 8', '8 ', '-8', '٠٨', 'Aug', 0, 13, -1, 8.5, true, null, [], {}])(
    'has no month %j',
    (month) => {
      expect(expiryMonth.safeParse(month).success).toBe(false)
    },
  )

  it.each(['7', '027', '1999', '2100', '20277', '', '27 ', '٢٧', 1999, 2100, 127, -27, 27.5, true, null, [], {}])(
    'has no year %j',
    (year) => {
      expect(expiryYear.safeParse(year).success).toBe(false)
    },
  )

  it('of any month and year is four digits with a real month, or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (month, year) => {
        return /^((0[1-9]|1[0-2])\d\d|undefined)$/.test(String(read(month, year)))
      }),
    )
  })
})
