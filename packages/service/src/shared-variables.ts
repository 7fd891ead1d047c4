import { ledgerKey } from '@pay/ledger'
import { sealKeys } from '@pay/payment-queue'
import { z } from 'zod'
import { flag, readableFile, wholeNumber } from './environment.ts'
import { isLoopback, isPrivate } from './hosts.ts'
import { contradictionOfTimes, timeVariables } from './times.ts'

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** What gateway and worker must agree on, and what every process of ours has. */
export const sharedVariables = {
  QUEUE_REDIS_URL: url('redis:', 'rediss:'),
  LEDGER_REDIS_URL: url('redis:', 'rediss:'),
  SEAL_KEYS: sealKeys,
  LEDGER_KEY: ledgerKey,
  PAYCONEX_URL: url('https:', 'http:').transform((text) => text.replace(/\/+$/, '')),
  MODE: z.enum(['strict', 'relaxed']).default('strict'),
  REDIS_CHECKED_BY_HAND: flag,
  ALLOW_PLAINTEXT_REDIS: flag,
  CA_FILE: readableFile.optional(),
  // More shards come with the Redis Cluster; until then another number would silently lose payments.
  SHARDS: wholeNumber(1, { min: 1, max: 1 }),
  // WAITAOF comes with the durability rules; until then a number here would promise what is not done.
  LEDGER_REPLICAS_ACK: wholeNumber(0, { min: 0, max: 0 }),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_PRETTY: flag,
  OPS_HOST: z.string().default('127.0.0.1'),
  ...timeVariables,
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
    strict && payconex.protocol === 'http:' && !atHome && 'PAYCONEX_URL must be https:// unless it is on this machine',
    !strict && !isForTrials(payconex) && 'MODE=relaxed serves only a PayConex on this machine or for certification',
    strict && !env.ALLOW_PLAINTEXT_REDIS && plaintext('QUEUE_REDIS_URL', env.QUEUE_REDIS_URL),
    strict && !env.ALLOW_PLAINTEXT_REDIS && plaintext('LEDGER_REDIS_URL', env.LEDGER_REDIS_URL),
    addressOf(env.QUEUE_REDIS_URL) === addressOf(env.LEDGER_REDIS_URL) &&
      'QUEUE_REDIS_URL and LEDGER_REDIS_URL must be two servers',
  ]
  return found.filter((line): line is string => typeof line === 'string')
}

const CERTIFICATION = 'cert.payconex.net'

/** No money moves there: a simulator on this machine or in a container beside us, or Bluefin's certification host. */
const isForTrials = ({ hostname, protocol }: URL) =>
  isPrivate(hostname) || (hostname === CERTIFICATION && protocol === 'https:')

/** Which server a URL leads to, whatever user or database it names. */
function addressOf(text: string): string {
  const { hostname, port } = new URL(text)
  return `${hostname}:${port || '6379'}`
}

const plaintext = (name: string, text: string) => {
  const { protocol, hostname } = new URL(text)
  return (
    protocol === 'redis:' && !isPrivate(hostname) && `${name} must be rediss:// (or set ALLOW_PLAINTEXT_REDIS=true)`
  )
}
