import { isIP } from 'node:net'

/** This machine, by name or address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** A private network: an address of RFC 1918 or RFC 4193, or a name without a dot, which only a private network can
 * resolve (a container's name, for instance). */
export const isPrivate = (host: string): boolean =>
  isLoopback(host) || (isAddress(host) ? PRIVATE_ADDRESS.test(host) : !host.includes('.'))

const isAddress = (host: string) => isIP(host.replace(/^\[|\]$/g, '')) !== 0

const PRIVATE_ADDRESS = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?f[cd][0-9a-f]{2}:)/i
