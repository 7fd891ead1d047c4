import { isIP } from 'node:net'
import express from 'express'
import { z } from 'zod'

/** Which proxies may say, in X-Forwarded-For, whom they speak for: how many there are in a row, or their addresses. */
export type TrustProxy = number | readonly string[]

const MAX_HOPS = 10
const FORM = `must be a number of proxies from 0 to ${MAX_HOPS}, or their addresses (10.0.0.1, 10.0.0.0/8, loopback)`

/** `TRUST_PROXY`, as Express' "trust proxy" understands it. That everybody may be trusted is not among it: then any caller could
 * say to be another. https://expressjs.com/en/guide/behind-proxies.html */
export const trustProxy = z
  .string()
  .refine((text) => isProxies(proxiesOf(text)), { message: FORM })
  .transform(proxiesOf)
  .optional()

function proxiesOf(text: string): TrustProxy {
  if (/^\d{1,3}$/.test(text.trim())) return Number(text)
  return text.split(',').map((name) => name.trim())
}

function isProxies(proxies: TrustProxy): boolean {
  if (typeof proxies === 'number') return proxies <= MAX_HOPS
  try {
    express().set('trust proxy', proxies)
    return true
  } catch {
    return false
  }
}

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
