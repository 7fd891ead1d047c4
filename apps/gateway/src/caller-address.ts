import { isIP } from 'node:net'

/** What a caller has to itself: an IPv4 address, or the first half of an IPv6 address, of which one gets 2^64 at once.
 * Undefined for what is no address. */
export function networkOf(address = ''): string | undefined {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '')
  if (isIP(plain) === 4) return plain
  return isIP(plain) === 6 ? firstHalf(plain) : undefined
}

/** A URL spells every address in one way. */
function firstHalf(address: string): string {
  const [before = '', after = ''] = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1).split('::')
  const [head, tail] = [before, after].map((part) => part.split(':').filter(Boolean)) as [string[], string[]]
  const zeros = Array(Math.max(0, 8 - head.length - tail.length)).fill('0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
