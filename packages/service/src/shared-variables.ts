import { ledgerKey } from '@pay/ledger'
import { addressOf, knownPlace, placeOf, sealKeys } from '@pay/payment-queue'
import { z } from 'zod'
import { certificateFile } from './certificate-file.ts'
import { flag, list, wholeNumber } from './environment.ts'
import { isLoopback, isPrivate } from './hosts.ts'
import { contradictionOfTimes, timeVariables } from './times.ts'
import { traceVariables, wouldShowKey } from './trace-variables.ts'
import { weakKeys } from './weak-keys.ts'

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** A server or a cluster, which may be asked for as one user. A number of a database would be another one's for persistence, eviction and
 * FLUSHALL all the same; and what stands behind `?` would change how we connect. */
const redisUrl = z
  .string()
  .refine((text) => SCHEME.test(text), {
    message:
      'must be a URL that starts with redis:// or rediss://, or for a cluster with redis+cluster:// or rediss+cluster://',
  })
  .refine((text) => !SCHEME.test(text) || isPlain(text), {
    message: 'must name a server and nothing behind it, such as rediss://user:password@host:6379',
  })

const SCHEME = /^rediss?(\+cluster)?:/

const isPlain = (text: string) =>
  placeOf(text)?.nodes.every(
    ({ pathname, search, hash }) => ['', '/', '/0'].includes(pathname) && search === '' && hash === '',
  ) === true

/** What is asked for is written behind it, and a user there would be sent along with every card. */
function isPlace(text: string): boolean {
  const { username = '', password = '' } = URL.parse(text) ?? {}
  return username === '' && password === '' && !/[?#\\\s]/.test(text)
}

/** What gateway and worker must agree on, and what every process of ours has. */
export const sharedVariables = {
  QUEUE_REDIS_URL: redisUrl,
  LEDGER_REDIS_URL: redisUrl,
  SEAL_KEYS: sealKeys,
  SEAL_KEYS_FILE: z.string().optional(),
  LOST_SEAL_KEYS: list(),
  LEDGER_KEY: ledgerKey,
  PAYCONEX_URL: url('https:', 'http:')
    .refine(isPlace, { message: 'must name a host and at most a path, such as https://secure.payconex.net' })
    .transform((text) => text.replace(/\/+$/, '')),
  MODE: z.enum(['strict', 'relaxed']).default('strict'),
  REDIS_CHECKED_BY_HAND: flag,
  ALLOW_PLAINTEXT_REDIS: flag,
  CA_FILE: certificateFile.optional(),
  SHARDS: wholeNumber(1, { min: 1, max: 64 }),
  LEDGER_REPLICAS_ACK: wholeNumber(0, { min: 0, max: 10 }),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_PRETTY: flag,
  OPS_HOST: z.string().default('127.0.0.1'),
  ...timeVariables,
  ...traceVariables,
}

export type SharedEnvironment = z.output<z.ZodObject<typeof sharedVariables>>

/** What is wrong with variables taken together, one line each. */
export function contradictionsOf(env: SharedEnvironment): string[] {
  const payconex = new URL(env.PAYCONEX_URL)
  const atHome = isLoopback(payconex.hostname)
  const strict = env.MODE === 'strict'
  const found = [
    contradictionOfTimes(env),
    env.TIME_SCALE !== 1 && !atHome && 'TIME_SCALE must be 1 unless PAYCONEX_URL is on this machine',
    strict && isInTheOpen(env.PAYCONEX_URL, env.MODE) && 'PAYCONEX_URL must be https:// unless it is on this machine',
    !strict && !isForTrials(payconex) && 'MODE=relaxed serves only a PayConex on this machine or for certification',
    strict && !env.ALLOW_PLAINTEXT_REDIS && plaintext('QUEUE_REDIS_URL', env.QUEUE_REDIS_URL),
    strict && !env.ALLOW_PLAINTEXT_REDIS && plaintext('LEDGER_REDIS_URL', env.LEDGER_REDIS_URL),
    haveOneInCommon(env.QUEUE_REDIS_URL, env.LEDGER_REDIS_URL) &&
      'QUEUE_REDIS_URL and LEDGER_REDIS_URL must be two servers',
    strict && wouldShowKey(env) && 'OTEL_EXPORTER_OTLP_HEADERS are for an endpoint that starts with https://',
    ...weakKeys(env),
  ]
  return found.filter((line): line is string => typeof line === 'string')
}

/** What is sent there, an access key in all of it, could be read on the way. */
export function isInTheOpen(payconexUrl: string, mode: SharedEnvironment['MODE']): boolean {
  const { protocol, hostname } = new URL(payconexUrl)
  return protocol === 'http:' && !(mode === 'strict' ? isLoopback(hostname) : isPrivate(hostname))
}

const CERTIFICATION = 'cert.payconex.net'

/** No money moves there: a simulator on this machine or in a container beside us, or Bluefin's certification host. */
const isForTrials = ({ hostname, protocol }: URL) =>
  isPrivate(hostname) || (hostname === CERTIFICATION && protocol === 'https:')

/** Whatever user or database they name. */
function haveOneInCommon(one: string, other: string): boolean {
  const servers = new Set(knownPlace(one).nodes.map(addressOf))
  return knownPlace(other).nodes.some((node) => servers.has(addressOf(node)))
}

/** Why this URL of a Redis would not do in MODE=strict; false where it would. */
export function plaintext(name: string, text: string) {
  const { isCluster, nodes } = knownPlace(text)
  const isOpen = nodes.some(({ protocol, hostname }) => protocol === 'redis:' && !isPrivate(hostname))
  return isOpen && `${name} must be rediss${isCluster ? '+cluster' : ''}:// (or set ALLOW_PLAINTEXT_REDIS=true)`
}
