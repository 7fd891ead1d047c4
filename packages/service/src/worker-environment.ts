import { isForbiddenParameter } from '@pay/mapper'
import { z } from 'zod'
import { list, readEnvironment, wholeNumber } from './environment.ts'
import { contradictionsOf, sharedVariables } from './shared-variables.ts'

const defaultParameters = z
  .string()
  .default('{}')
  .transform((text, context): Record<string, string> => {
    const parsed = z.record(z.string(), z.string()).safeParse(jsonOf(text))
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: 'must be a JSON object of names and texts' })
    return z.NEVER
  })

const proxyUrl = z.string().refine(isProxy, { message: 'must be a URL that starts with http:// and has no path' })

/** Every variable of the worker. */
export const workerVariables = z.object({
  ...sharedVariables,
  OPS_PORT: wholeNumber(9091, { max: 65_535 }),
  PAYCONEX_PROXY_URL: proxyUrl.optional(),
  PAYCONEX_RESERVE: z.enum(['required', 'preferred', 'off']).default('required'),
  IDS_AHEAD: wholeNumber(64, { max: 1000 }),
  EXTRA_PARAMETERS: list(),
  DEFAULT_PARAMETERS: defaultParameters,
  LATE_APPROVAL: z.enum(['report', 'reverse']).default('report'),
  WORKER_CONCURRENCY: wholeNumber(100, { min: 1, max: 10_000 }),
})

export type WorkerEnvironment = z.output<typeof workerVariables>

/** The worker's configuration, or one `ConfigurationError` with all that is wrong. */
export const readWorkerEnvironment = (env: NodeJS.ProcessEnv): WorkerEnvironment =>
  readEnvironment(workerVariables, env, (read) => [
    ...contradictionsOf(read),
    ...plaintextThroughProxy(read),
    ...forbiddenParameters(read),
    ...tooFewPlaces(read),
  ])

/** A shard without a place would never be served. */
const tooFewPlaces = ({ WORKER_CONCURRENCY, SHARDS }: WorkerEnvironment): string[] =>
  WORKER_CONCURRENCY < SHARDS ? ['WORKER_CONCURRENCY must be at least SHARDS'] : []

/** A card in plain text must not pass a proxy; only TLS is tunnelled through it. */
const plaintextThroughProxy = ({ PAYCONEX_PROXY_URL, PAYCONEX_URL }: WorkerEnvironment): string[] =>
  PAYCONEX_PROXY_URL !== undefined && !PAYCONEX_URL.startsWith('https:')
    ? ['PAYCONEX_PROXY_URL is only for a PAYCONEX_URL that starts with https://']
    : []

// A default may say that charges are AUTHORIZATIONs, or what type bank accounts are; the mapper checks the value.
const TYPES = /^(transaction|(ach|bank)?[_-]?account)[_-]?type$/i

/** Names that would be ignored in silence are named instead. */
function forbiddenParameters({ EXTRA_PARAMETERS, DEFAULT_PARAMETERS }: WorkerEnvironment): string[] {
  const forbidden = (name: string) => isForbiddenParameter(name)
  return [
    ...EXTRA_PARAMETERS.filter(forbidden).map((name) => `EXTRA_PARAMETERS: ${name} can never be set by a parameter`),
    ...Object.keys(DEFAULT_PARAMETERS)
      .filter((name) => forbidden(name) && !TYPES.test(name))
      .map((name) => `DEFAULT_PARAMETERS: ${name} can never be set by a parameter`),
  ]
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** User and password are decoded, which not every text can be. */
function isProxy(text: string): boolean {
  try {
    const { protocol, pathname, search, username, password } = new URL(text)
    return protocol === 'http:' && pathname === '/' && search === '' && isDecodable(username + password)
  } catch {
    return false
  }
}

const isDecodable = (text: string) => decodeURIComponent(text).length >= 0
