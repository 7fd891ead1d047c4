import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sealKeys } from './seal-keys.ts'

const fresh = () => randomBytes(32).toString('base64')
const one = fresh()
const two = fresh()

describe('SEAL_KEYS', () => {
  it('is a ring whose first key seals', () => {
    const { first, all } = sealKeys.parse(`k1:${one},k2:${two}`)

    expect(first).toEqual({ id: 'k1', key: Buffer.from(one, 'base64') })
    expect([...all]).toEqual([
      ['k1', Buffer.from(one, 'base64')],
      ['k2', Buffer.from(two, 'base64')],
    ])
  })

  it('may have spaces around an entry, keys in base64url and without padding', () => {
    const url = Buffer.from(two, 'base64').toString('base64url')

    const { all } = sealKeys.parse(` k1:${one} , k2:${url} `)

    expect(all.get('k2')).toEqual(Buffer.from(two, 'base64'))
  })

  it('may have one entry a line, as a file has to which a key was added', () => {
    const { first, all } = sealKeys.parse(`k1:${one}\r\nk2:${two}`)

    expect(first.id).toBe('k1')
    expect([...all.keys()]).toEqual(['k1', 'k2'])
  })

  const FORM = /^must be kid:base64\(32 random bytes\)/
  it.each([
    ['nothing', '', FORM],
    ['a key without a name', one, FORM],
    ['an empty name', `:${one}`, FORM],
    ['a name with a dot, which separates the parts of a sealed text', `k.1:${one}`, FORM],
    ['a name too long', `${'k'.repeat(33)}:${one}`, FORM],
    ['a name without a key', 'k1:', FORM],
    ['a key too short', `k1:${randomBytes(31).toString('base64')}`, FORM],
    ['a key too long', `k1:${randomBytes(33).toString('base64')}`, FORM],
    ['a key in hexadecimal', `k1:${randomBytes(32).toString('hex')}`, FORM],
    ['a key with something behind its end', `k1:${one}QUJD`, FORM],
    ['a passphrase', 'k1:correct horse battery staple', FORM],
    ['a comma too many', `k1:${one},`, FORM],
    ['a bad second key', `k1:${one},k2:short`, FORM],
    ['two keys of one name', `k1:${one},k1:${two}`, /^two keys have the same id$/],
    ['one key under two names', `k1:${one},k2:${one}`, /^two ids have the same key$/],
    [
      'one key in two spellings',
      `k1:${one},k2:${Buffer.from(one, 'base64').toString('base64url')}`,
      /^two ids have the same key$/,
    ],
  ])('is refused with %s, and what it holds is not repeated', (_, text, message) => {
    const parsed = sealKeys.safeParse(text)

    const messages = parsed.error?.issues.map((issue) => issue.message) ?? []
    expect(messages).toEqual([expect.stringMatching(message)])
    for (const part of text.split(/[:,]/).filter((part) => part.length > 8)) expect(messages[0]).not.toContain(part)
  })
})
