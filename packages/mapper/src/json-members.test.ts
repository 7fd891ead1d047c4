import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countMembers, jsonMembers } from './json-members.ts'

describe('the members of a JSON object', () => {
  it.each<[string, [string, string][]]>([
    ['{}', []],
    ['{"a":1}', [['a', '1']]],
    [
      '{"a":1,"a":2}',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    [
      ' { "a" : "x,\\"y\\":{" , "b" : null } ',
      [
        ['a', '"x,\\"y\\":{"'],
        ['b', 'null'],
      ],
    ],
    [
      '{"a":{"b":[1,{"c":2}]},"d":[]}',
      [
        ['a', '{"b":[1,{"c":2}]}'],
        ['d', '[]'],
      ],
    ],
    ['{"\\u0061":-1.5e3}', [['a', '-1.5e3']]],
  ])('%s', (text, members) => {
    expect(jsonMembers(text)).toEqual(members)
    expect(countMembers(text)).toBe(members.length)
  })

  it('are those that JSON.parse sees', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object, undefined, 1)

        const read = jsonMembers(text).map(([name, value]) => [name, JSON.parse(value)])

        expect(read).toEqual(Object.entries(JSON.parse(text)))
      }),
    )
  })

  it('are counted, also those that come twice, and none that is within another or in a text', () => {
    const member = fc.tuple(fc.oneof(fc.string(), fc.constantFrom('"', '\\', '":', '{"a":1}', 'ß')), fc.jsonValue())

    fc.assert(
      fc.property(fc.array(member), (members) => {
        const written = members.map(([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value)}`)

        expect(countMembers(`{${written.join(' ,')}}`)).toBe(members.length)
      }),
    )
  })
})
