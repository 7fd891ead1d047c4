import { format, inspect } from 'node:util'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { Secret } from './secret.ts'

const PAN = '4111111111111111'
const number = new Secret(PAN)

const printed: [string, () => string][] = [
  ['console.log', () => format('%s %o %O %j', number, number, number, number) + format(number)],
  ['JSON.stringify', () => JSON.stringify({ deep: [{ number }] })],
  ['a template string', () => `${number}`],
  ['String()', () => String(number)],
  ['concatenation', () => `card ${number}`.concat(number.toString())],
  [
    'util.inspect of the deepest kind',
    () => inspect({ a: { b: { number } } }, { depth: null, showHidden: true, getters: true }),
  ],
  [
    'util.inspect without the custom hook',
    () => inspect(number, { customInspect: false, showHidden: true, depth: null }),
  ],
  [
    'an error with it as cause',
    () => inspect(new Error('no answer', { cause: { number } }), { depth: null, showHidden: true }),
  ],
  ['an error message', () => new Error(`bad card ${number}`).message],
  ['the stack of a thrown Secret', () => inspect(Object.assign(new Error('x'), { number }), { showHidden: true })],
  ['a structured clone', () => inspect(structuredClone({ number }), { depth: null, showHidden: true })],
  ['a spread copy', () => inspect({ ...number }, { showHidden: true })],
  ['a query string', () => new URLSearchParams({ number: `${number}` }).toString()],
]

describe('a Secret', () => {
  it('gives its value to whoever asks by name', () => {
    expect(number.expose()).toBe(PAN)
  })

  it.each(printed)('does not show through %s', (_way, print) => {
    expect(print()).not.toContain(PAN)
  })

  it('does not show through pino, at the top, deep down or in an error', () => {
    const lines: string[] = []
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })

    logger.info(
      { number, deep: [{ number }], err: new Error('x', { cause: number }) },
      'card %s %o %j',
      number,
      number,
      number,
    )
    logger.info(number)

    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain(PAN)
  })

  it('says that it is a secret where it is printed', () => {
    expect([`${number}`, JSON.stringify(number), inspect(number)]).toEqual(['[secret]', '"[secret]"', '[secret]'])
  })

  it('has nothing to enumerate', () => {
    expect(Object.keys(number)).toEqual([])
    expect(Object.entries(number)).toEqual([])
    expect(Reflect.ownKeys(number)).toEqual([])
  })
})
