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

  it('is refused when it is not UTF-8', () => {
    expect(() => parseStrictJson(Uint8Array.from([0x7b, 0xff, 0x7d]))).toThrow(NotJson)
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
