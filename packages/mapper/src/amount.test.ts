import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAmount } from './amount.ts'

const cents = fc.integer({ min: 1, max: 99_999_999 })
const canonical = (amount: number) => `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
const toCents = (amount = '') => Number(amount.replace('.', ''))

describe('an amount', () => {
  it.each([
    ['10', '10.00'],
    ['10.0', '10.00'],
    ['10.00', '10.00'],
    ['10.500', '10.50'],
    ['10.000', '10.00'],
    ['0010.00', '10.00'],
    ['0.01', '0.01'],
    ['999999.99', '999999.99'],
    [10, '10.00'],
    [10.1, '10.10'],
    [0.07, '0.07'],
  ])('of %j is %s', (value, amount) => {
    expect(parseAmount(value)).toBe(amount)
  })

  it.each([
    ['zero', '0'],
    ['zero with decimals', '0.00'],
    ['the number zero', 0],
    ['minus zero', -0],
    ['negative', '-1.00'],
    ['a negative number', -1],
    ['explicitly positive', '+1.00'],
    ['more precise than a cent', '10.005'],
    ['a float artefact', 0.1 + 0.2],
    ['more than PayConex takes', '1000000.00'],
    ['without a digit before the dot', '.5'],
    ['without a digit after the dot', '10.'],
    ['a lone dot', '.'],
    ['with two dots', '1.0.0'],
    ['with a comma', '1,00'],
    ['with an exponent', '1e2'],
    ['a number too big to be spelled out', 1e21],
    ['a number too small to be spelled out', 1e-7],
    ['hexadecimal', '0x10'],
    ['led by white space', ' 10.00'],
    ['followed by white space', '10.00 '],
    ['followed by a line break', '10.00\n'],
    ['with a gap', '1 0'],
    ['with a currency sign', '$10'],
    ['in Arabic-Indic digits', '١٠.٠٠'],
    ['in full-width digits', '１０'],
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['empty', ''],
  ])('that is %s is refused', (_kind, value) => {
    expect(parseAmount(value)).toBeUndefined()
  })

  it('survives the way to text and back to the cent', () => {
    fc.assert(fc.property(cents, (amount) => toCents(parseAmount(canonical(amount))) === amount))
  })

  it('is canonical once and for all', () => {
    fc.assert(fc.property(cents, (amount) => parseAmount(canonical(amount)) === canonical(amount)))
  })

  it('never shows a float artefact when it came as a JSON number', () => {
    fc.assert(fc.property(cents, (amount) => parseAmount(JSON.parse(canonical(amount))) === canonical(amount)))
  })

  it('does not change with zeros in front and behind', () => {
    fc.assert(
      fc.property(cents, fc.nat({ max: 30 }), fc.nat({ max: 30 }), (amount, before, behind) => {
        const spelled = '0'.repeat(before) + canonical(amount) + '0'.repeat(behind)
        return parseAmount(spelled) === canonical(amount)
      }),
    )
  })

  it('is refused with anything below a cent', () => {
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 9 }), (amount, rest) => {
        return parseAmount(`${canonical(amount)}${rest}`) === undefined
      }),
    )
  })

  it('is refused with any foreign character in any place', () => {
    const foreign = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).filter((text) => !/[\d.]/.test(text))
    fc.assert(
      fc.property(cents, foreign, fc.nat({ max: 9 }), (amount, text, place) => {
        const spelled = canonical(amount)
        return parseAmount(spelled.slice(0, place) + text + spelled.slice(place)) === undefined
      }),
      { numRuns: 1000 },
    )
  })

  it('out of any text is either canonical or refused', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.eE+-]{0,12}$/), fc.double().map(String))
    fc.assert(
      fc.property(text, (value) => /^(\d{1,6}\.\d\d|undefined)$/.test(String(parseAmount(value)))),
      { numRuns: 1000 },
    )
  })
})
