import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NotJson, parseStrictJson } from './strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))

describe('a body', () => {
  it('is read as JSON, with or without a byte order mark', () => {
    expect(parse('{"a":{"b":[1,"x"]}}')).toEqual({ a: { b: [1, 'x'] } })
    expect(parse('\uFEFF{"a":1}')).toEqual({ a: 1 })
  })

  it('may have the same key in two objects, and strings that look like keys', () => {
    expect(parse('{"a":{"a":"\\"a\\":"},"b":[{"a":1},{"a":2}]}')).toEqual({ a: { a: '"a":' }, b: [{ a: 1 }, { a: 2 }] })
  })

  it('may have a key named __proto__, which changes no prototype', () => {
    const body = parse('{"__proto__":{"method":"charge"}}')

    expect(Object.keys(body)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype)
    expect('method' in {}).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'method=charge'],
    ['half of it', '{"a":'],
    ['an open string', '{"a":"b'],
    ['a list', '[1]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a key twice', '{"amount":"1.00","amount":"2.00"}'],
    ['a key twice in two spellings', '{"amount":"1.00","\\u0061mount":"2.00"}'],
    ['a key twice deeper down', '{"parameters":{"a":"1","a":"2"}}'],
    ['too many levels', `{"a":${'['.repeat(9)}${']'.repeat(9)}}`],
    ['tens of thousands of levels', '['.repeat(60_000)],
  ])('is refused when it holds %s', (_, text) => {
    expect(() => parse(text)).toThrow(NotJson)
  })

  it('is refused when it is not UTF-8, and the next one is read', () => {
    expect(() => parseStrictJson(Uint8Array.from([0x7b, 0xff, 0x7d]))).toThrow(NotJson)
    expect(parse('\uFEFF{"a":"é"}')).toEqual({ a: 'é' })
  })

  const anything = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1, noNullPrototype: true })

  it('is read as JSON.parse reads it, whatever it says', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(undefined, 2, '\t'), (body, space) => {
        const text = JSON.stringify(body, null, space)

        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('is refused when any key of it stands twice, with any values, wherever it is', () => {
    fc.assert(
      fc.property(anything, fc.jsonValue({ maxDepth: 2 }), fc.nat({ max: 3 }), (body, other, depth) => {
        const [key = ''] = Object.keys(body)
        const twice = `{${JSON.stringify(key)}:${JSON.stringify(other)},${JSON.stringify(body).slice(1)}`
        const text = `${'{"a":['.repeat(depth)}${twice}${']}'.repeat(depth)}`

        expect(() => parse(text)).toThrow(NotJson)
      }),
    )
  })

  it('is read or refused in little time, whatever it is', () => {
    const hostile = [
      `{"${'\\"'.repeat(32_000)}`,
      `{"${'\\'.repeat(65_000)}`,
      `{"${'"'.repeat(65_000)}`,
      `${'{"a":'.repeat(10_000)}`,
      ' '.repeat(65_000),
    ]
    const started = performance.now()

    for (const text of hostile) expect(() => parse(text)).toThrow(NotJson)

    expect(performance.now() - started).toBeLessThan(1000)
  })
})
