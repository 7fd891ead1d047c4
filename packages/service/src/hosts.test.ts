import { describe, expect, it } from 'vitest'
import { isLoopback, isPrivate } from './hosts.ts'

/** As `new URL(...).hostname` spells them. */
const here = ['localhost', '127.0.0.1', '127.8.9.10', '[::1]', '::1']
const nearby = [
  '10.0.0.1',
  '192.168.1.1',
  '172.16.0.1',
  '172.31.255.255',
  '[fd12:3456::1]',
  '[fc00::1]',
  'redis',
  'simulator',
]
const elsewhere = [
  'secure.payconex.net',
  'cert.payconex.net',
  '8.8.8.8',
  '172.15.0.1',
  '172.32.0.1',
  '192.169.0.1',
  '11.0.0.1',
  '[2001:db8::1]',
  '[::ffff:8.8.8.8]',
  '127.evil.example',
  '10.evil.example',
  '192.168.evil.example',
  'localhost.evil.example',
  'fd00.evil.example',
]

describe('a host', () => {
  it.each(here)('%s is this machine', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([true, true])
  })

  it.each(nearby)('%s is on a private network', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([false, true])
  })

  it.each(elsewhere)('%s is neither', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([false, false])
  })
})
