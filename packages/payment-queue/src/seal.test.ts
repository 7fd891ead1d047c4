import { createDecipheriv, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CannotOpen, keyIdOf, open, seal } from './seal.ts'
import { type SealKeys, sealKeys } from './seal-keys.ts'
import { keyText, ringOf } from './testing.ts'

const keys = ringOf('k1')
const PLAIN = '{"cardnumber":"4111111111111111"}'
const BINDING = 'payment:p_1.1'

/** The text, or the message of `CannotOpen`; any other error fails the test. */
function attempt(sealed: string, binding = BINDING, ring: SealKeys = keys): { text: string } | { refused: string } {
  try {
    return { text: open(sealed, binding, ring) }
  } catch (error) {
    if (error instanceof CannotOpen) return { refused: error.message }
    throw error
  }
}

describe('a sealed text', () => {
  it('opens to what was sealed, whatever that was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (plain, binding) => {
        expect(open(seal(plain, binding, keys), binding, keys)).toBe(plain)
      }),
    )
  })

  it('is under the key of its series: HKDF-SHA-256 of the ring’s key and the series, which it carries', () => {
    const bytes = Buffer.from(seal(PLAIN, BINDING, keys).slice('2.k1.'.length), 'base64url')
    const [series, nonce] = [bytes.subarray(0, 18), bytes.subarray(18, 30)]
    const [tag, text] = [bytes.subarray(30, 46), bytes.subarray(46)]

    const info = Buffer.concat([Buffer.from('sealed text v2'), series])
    const key = new Uint8Array(hkdfSync('sha256', keys.first.key, '', info, 32))

    const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
    cipher.setAAD(Buffer.from(BINDING)).setAuthTag(tag)
    expect(cipher.update(text, undefined, 'utf8') + cipher.final('utf8')).toBe(PLAIN)
  })

  it('shows nothing of what is in it but its length, and never looks the same twice', () => {
    const one = seal(PLAIN, BINDING, keys)
    const two = seal(PLAIN, BINDING, keys)

    expect(one).toMatch(/^2\.k1\.[\w-]+$/)
    expect(one).not.toBe(two)
    expect(Buffer.from(one.slice('2.k1.'.length), 'base64url').includes('4111')).toBe(false)
  })

  it('does not open when any one character of it was altered', () => {
    const sealed = seal(PLAIN, BINDING, keys)

    for (let at = 0; at < sealed.length; at += 1) {
      for (const other of ['A', 'Q', 'g', 'w', '_', '.', '=', '+', ' ']) {
        const altered = sealed.slice(0, at) + other + sealed.slice(at + 1)
        if (altered !== sealed) expect(attempt(altered)).toHaveProperty('refused')
      }
    }
  })

  it.each([
    ['a character was added', (sealed: string) => `${sealed}A`],
    ['padding was added', (sealed: string) => `${sealed}=`],
    ['a line break was added', (sealed: string) => `${sealed}\n`],
    ['a space was put inside', (sealed: string) => `${sealed.slice(0, 20)} ${sealed.slice(20)}`],
    ['a part was added', (sealed: string) => `${sealed}.x`],
    ['its last character is missing', (sealed: string) => sealed.slice(0, -1)],
    ['all but its series, nonce and tag are missing', (sealed: string) => sealed.slice(0, '2.k1.'.length + 62)],
    ['all but its key id is missing', (sealed: string) => sealed.slice(0, '2.k1.'.length)],
    ['it is of another version', (sealed: string) => sealed.replace(/^2/, '1')],
    ['it is empty', () => ''],
  ])('does not open when %s', (_, alter) => {
    expect(attempt(alter(seal(PLAIN, BINDING, keys)))).toHaveProperty('refused')
  })

  it('does not open for anything else than what it was sealed for', () => {
    const sealed = seal(PLAIN, BINDING, keys)

    for (const other of ['payment:p_1.2', 'payment:p_2.1', 'credentials:p_1', '']) {
      expect(attempt(sealed, other)).toEqual({ refused: 'altered, or sealed for something else' })
    }
  })

  it('does not open under a key that is not in the ring, also when that has the same id', () => {
    const sealed = seal(PLAIN, BINDING, keys)

    expect(attempt(sealed, BINDING, ringOf('k2'))).toEqual({
      refused: 'sealed under a key that is not in SEAL_KEYS',
    })
    expect(attempt(sealed, BINDING, ringOf('k1'))).toEqual({ refused: 'altered, or sealed for something else' })
  })

  it('names the key under which it was sealed, and no other text names one', () => {
    expect(keyIdOf(seal(PLAIN, BINDING, ringOf('k-1_b', 'k2')))).toBe('k-1_b')
    for (const text of [
      '',
      'sealed',
      '2.k1',
      '2.k1.',
      '1.k1.AAAA',
      '2..AAAA',
      `2.${'k'.repeat(33)}.AAAA`,
      '2.k1.A.A',
    ]) {
      expect(keyIdOf(text)).toBeUndefined()
    }
  })

  it.each(['__proto__', 'constructor', 'toString'])('does not take %s for a key id', (id) => {
    expect(attempt(`2.${id}.${'A'.repeat(100)}`)).toHaveProperty('refused')
  })
})

describe('a key that is changed while payments are under way', () => {
  it('opens what it sealed, while the new one seals', () => {
    const [oldKey, newKey] = [keyText('old'), keyText('new')]
    const before = seal(PLAIN, BINDING, sealKeys.parse(oldKey))
    const ring = sealKeys.parse(`${newKey},${oldKey}`)

    const after = seal(PLAIN, BINDING, ring)

    expect(attempt(before, BINDING, ring)).toEqual({ text: PLAIN })
    expect(after).toMatch(/^2\.new\./)
    expect(attempt(after, BINDING, sealKeys.parse(newKey))).toEqual({ text: PLAIN })
    expect(attempt(after, BINDING, sealKeys.parse(oldKey))).toHaveProperty('refused')
  })
})

describe('garbage', () => {
  const base64url = fc.base64String().map((text) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))

  it.each([
    ['any text', fc.string({ unit: 'binary' })],
    ['any bytes under a known key', base64url.map((text) => `2.k1.${text}`)],
    ['any parts', fc.array(fc.string()).map((parts) => parts.join('.'))],
  ])('such as %s cannot be opened, and never fails in another way', (_, garbage) => {
    fc.assert(
      fc.property(garbage, (text) => {
        expect(attempt(text)).toHaveProperty('refused')
      }),
      { numRuns: 1000 },
    )
  })

  it('is not quoted by the error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{12,19}$/), (digits) => {
        for (const text of [digits, `2.k1.${digits}`, `2.${digits}.x`]) {
          expect(JSON.stringify(attempt(text))).not.toContain(digits)
        }
      }),
    )
  })
})
