import { describe, expect, it } from 'vitest'
import { readCredentials } from './credentials.ts'

const basic = (text: string, scheme = 'Basic') => `${scheme} ${Buffer.from(text).toString('base64')}`
const ACCOUNT = '120615000001'

describe('credentials', () => {
  it('are the account id and the access key', () => {
    const credentials = readCredentials(basic(`${ACCOUNT}:key`), [])

    expect(credentials?.accountId).toBe(ACCOUNT)
    expect(credentials?.accessKey.expose()).toBe('key')
  })

  it('may spell the scheme as they like, and have a colon in the key', () => {
    expect(readCredentials(basic(`${ACCOUNT}:a:b`, 'BASIC'), [])?.accessKey.expose()).toBe('a:b')
  })

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', 'Bearer abc'],
    ['no base64', 'Basic ***'],
    ['no colon', basic(ACCOUNT)],
    ['no account', basic(':key')],
    ['no key', basic(`${ACCOUNT}:`)],
    ['a line break', basic(`${ACCOUNT}:a\r\nb`)],
    ['an account too long', basic(`${'1'.repeat(65)}:key`)],
    ['a card number as the account', basic('4111111111111111:key')],
    ['account and key in each other’s place', basic(`canary0access0key0canary0access0:${ACCOUNT}`)],
    ['a key too long', basic(`${ACCOUNT}:${'k'.repeat(257)}`)],
  ])('are refused when they are %s', (_, header) => {
    expect(readCredentials(header, [])).toBeUndefined()
  })

  it('are refused for an account that is not on the list', () => {
    expect(readCredentials(basic(`${ACCOUNT}:key`), ['120615000002'])).toBeUndefined()
    expect(readCredentials(basic(`${ACCOUNT}:key`), ['120615000002', ACCOUNT])).toBeDefined()
  })
})
