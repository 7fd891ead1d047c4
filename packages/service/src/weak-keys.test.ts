import { randomBytes } from 'node:crypto'
import { sealKeys } from '@pay/payment-queue'
import { describe, expect, it } from 'vitest'
import { weakKeys } from './weak-keys.ts'

const good = randomBytes(32)
const ringOf = (...keys: Buffer[]) => sealKeys.parse(keys.map((key, nth) => `k${nth}:${key.toString('base64')}`).join())
const bytes = (byteAt: (nth: number) => number) => Buffer.from(Array.from({ length: 32 }, (_, nth) => byteAt(nth)))
const repeated = (part: Buffer) => Buffer.concat(Array.from({ length: 32 / part.length }, () => part))

const MADE_UP: [string, Buffer][] = [
  ['zeros', bytes(() => 0)],
  ['one byte', bytes(() => 0xa5)],
  ['counting', bytes((nth) => nth)],
  ['counting down across zero', bytes((nth) => 16 - nth)],
  ['every third', bytes((nth) => 3 * nth)],
  ['four random bytes, repeated', repeated(randomBytes(4))],
  ['sixteen random bytes, twice', repeated(randomBytes(16))],
  ['zeros with a few random bytes', Buffer.concat([Buffer.alloc(24), randomBytes(8)])],
  ['hexadecimal digits', Buffer.from('0123456789abcdef0123456789abcdef')],
  ['random hexadecimal digits', Buffer.from(randomBytes(16).toString('hex'))],
  ['base64 in base64', Buffer.from(randomBytes(24).toString('base64'))],
  ['a passphrase', Buffer.from('correct horse battery staple!!!!')],
  ['changeme', Buffer.from('changeme'.repeat(6).slice(0, 43), 'base64')],
  ['words where base64 should be', Buffer.from('correcthorsebatterystaplecorrecthorsebatter', 'base64')],
  ['shouted words where base64 should be', Buffer.from('CORRECTHORSEBATTERYSTAPLECORRECTHORSEBATTER', 'base64')],
]

describe('a key', () => {
  it('that is random is taken', () => {
    for (let nth = 0; nth < 1000; nth += 1) {
      expect(weakKeys({ SEAL_KEYS: ringOf(randomBytes(32)), LEDGER_KEY: randomBytes(32) })).toEqual([])
    }
  })

  it.each(MADE_UP)('that was made up is refused by its name: %s', (_, key) => {
    expect(key).toHaveLength(32)
    expect(weakKeys({ SEAL_KEYS: ringOf(good, key), LEDGER_KEY: randomBytes(32) })).toEqual([
      'SEAL_KEYS: k1 is not random (make one with: npm run keys -- new)',
    ])
    expect(weakKeys({ SEAL_KEYS: ringOf(good), LEDGER_KEY: key })).toEqual([
      'LEDGER_KEY: is not random (make one with: npm run keys -- ledger)',
    ])
  })

  it('has one use: none of SEAL_KEYS is LEDGER_KEY, wherever it stands', () => {
    expect(weakKeys({ SEAL_KEYS: ringOf(randomBytes(32), good), LEDGER_KEY: good })).toEqual([
      'SEAL_KEYS: k1 is the same key as LEDGER_KEY; each needs its own',
    ])
  })
})
