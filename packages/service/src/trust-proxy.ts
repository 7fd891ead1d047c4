import { compile } from 'proxy-addr'
import { z } from 'zod'

/** Which proxies may say, in X-Forwarded-For, whom they speak for: how many there are in a row, or their addresses. */
export type TrustProxy = number | readonly string[]

const MAX_HOPS = 10
const FORM = `must be a number of proxies from 0 to ${MAX_HOPS}, or their addresses (10.0.0.1, 10.0.0.0/8, loopback)`

/** `TRUST_PROXY`, as Express' "trust proxy" understands it: with this library. That everybody may be trusted is not among it: then any caller could
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
    compile([...proxies])
    return true
  } catch {
    return false
  }
}
