import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError, readEnvironment } from './environment.ts'
import { trustProxy } from './trust-proxy.ts'

const read = (TRUST_PROXY?: string) =>
  readEnvironment(z.object({ TRUST_PROXY: trustProxy }), { TRUST_PROXY }).TRUST_PROXY

describe('TRUST_PROXY', () => {
  it.each([
    [undefined, undefined],
    ['0', 0],
    ['2', 2],
    ['10.0.0.1', ['10.0.0.1']],
    ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
    ['loopback, 192.0.2.0/255.255.255.0', ['loopback', '192.0.2.0/255.255.255.0']],
  ])('of %j is %j', (text, proxies) => {
    expect(read(text)).toEqual(proxies)
  })

  it.each([
    'true',
    'yes',
    '-1',
    '11',
    '1.5',
    '10.0.0',
    '10.0.0.1/33',
    '0.0.0.0/0',
    '::/0',
    'proxy.internal',
    '10.0.0.1,',
    ',',
  ])('of "%s" is refused by name, without its value', (text) => {
    expect(() => read(text)).toThrow(ConfigurationError)
    expect(() => read(text)).toThrow(/TRUST_PROXY: must be a number of proxies from 0 to 10, or their addresses/)
  })
})
