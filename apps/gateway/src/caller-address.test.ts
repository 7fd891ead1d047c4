import { ConfigurationError, readEnvironment } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { networkOf, trustProxy } from './caller-address.ts'

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

describe('a caller’s network', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.2.1:1234', undefined],
    ['unknown', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
