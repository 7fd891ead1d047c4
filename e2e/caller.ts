import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What the tests send: the requests of `examples/`, so that the examples cannot rot. */
export type Body = Record<string, unknown>

const example = (name: string) => (): Body => ({
  ...JSON.parse(readFileSync(new URL(`../examples/${name}.json`, import.meta.url), 'utf8')),
  transaction_id: randomUUID(),
})

export const visaCharge = example('charge-card')
export const visaTokenize = example('tokenize-card')
export const bankCharge = example('charge-bank')
export const bankTokenize = example('tokenize-bank')
export const declinedCharge = example('charge-declined')
export const authorization = example('charge-authorization')
export const legacyCharge = example('charge-legacy')

export const ACCOUNT = '120615000001'
export const ACCESS_KEY = 'canary0access0key0canary0access0'

export type Answer = { status: number; body: Record<string, string | null> }

export type PostOptions = {
  user?: string
  password?: string
  path?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const LIMIT_MS = 20_000

/** One try as Twilio makes it. Rejects when the connection ends without an answer. */
export async function post(endpoint: string, body: unknown, options: PostOptions = {}): Promise<Answer> {
  const { user = ACCOUNT, password = ACCESS_KEY, path = '', headers = {} } = options
  const limit = AbortSignal.timeout(LIMIT_MS)
  const response = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: options.signal ? AbortSignal.any([limit, options.signal]) : limit,
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

/** A try whose caller hangs up after this time, as Twilio does after ten seconds. */
export async function postAndHangUp(
  endpoint: string,
  body: unknown,
  afterMs: number,
  options: PostOptions = {},
): Promise<Answer | 'silence'> {
  return post(endpoint, body, { ...options, signal: AbortSignal.timeout(afterMs) }).catch(() => 'silence' as const)
}
