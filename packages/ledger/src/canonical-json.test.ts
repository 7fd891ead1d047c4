import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))

describe('canonical JSON', () => {
  it('is JSON of the same data', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value)
      }),
    )
  })

  it('has keys in the order of their characters, also those that are numbers, and no spaces', () => {
    const value = JSON.parse('{"b":1,"a":{"z":null,"9":[true,"x"],"10":-0.5},"__proto__":"é"}')

    expect(canonicalJson(value)).toBe('{"__proto__":"é","a":{"10":-0.5,"9":[true,"x"],"z":null},"b":1}')
  })

  it('leaves out members by their name, at any depth and with all that is in them', () => {
    const value = { a: 1, cvv: { b: 2 }, c: [{ cvv: 3, d: 4 }], e: { cvv: 5 } }

    expect(canonicalJson(value, (name) => name === 'cvv')).toBe('{"a":1,"c":[{"d":4}],"e":{}}')
  })
})
