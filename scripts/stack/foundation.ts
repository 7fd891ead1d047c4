import type { Child } from '../process/child.ts'
import { onPort } from '../process/free-port.ts'
import { together } from '../process/together.ts'
import { givenRedis } from '../redis/given.ts'
import { type RunningRedis, type StartRedis, startRedis } from '../redis/redis.ts'
import { type Environment, type Log, startService } from './service.ts'

export type Simulator = Child & { url: string }

export type FoundationOptions = {
  /** For every process; wins over the keys and URLs that the stack sets. With a `PAYCONEX_URL` no simulator is started. */
  env?: Environment
  simulatorEnv?: Environment
  /** Servers that run already are used as they are, and not stopped. */
  redis?: { queueUrl?: string | undefined; ledgerUrl?: string | undefined; ledgerFsync?: 'always' | 'no' }
  startRedis?: StartRedis
  ports?: { simulator?: number }
}

export type Foundation = {
  queue: RunningRedis
  ledger: RunningRedis
  simulator: Simulator | undefined
  stop: (graceMs?: number) => Promise<void>
}

/** What gateways and workers stand on: two Redis servers and a PayConex. */
export async function startFoundation(options: FoundationOptions, log: Log): Promise<Foundation> {
  const [queue, ledger, simulator] = await together<[RunningRedis, RunningRedis, Simulator | undefined]>([
    openQueue(options, log),
    openLedger(options, log),
    openSimulator(options, log),
  ])
  const stop = async (graceMs?: number) => {
    await Promise.all([queue.stop(), ledger.stop(), simulator?.stop(graceMs)])
  }
  return { queue, ledger, simulator, stop }
}

async function openQueue({ redis = {}, startRedis: start = startRedis }: FoundationOptions, log: Log) {
  if (redis.queueUrl) return givenRedis('queue', redis.queueUrl)
  return start({ kind: 'queue', onLine: log('queue') })
}

async function openLedger({ redis = {}, startRedis: start = startRedis }: FoundationOptions, log: Log) {
  if (redis.ledgerUrl) return givenRedis('ledger', redis.ledgerUrl)
  return start({ kind: 'ledger', onLine: log('ledger'), appendfsync: redis.ledgerFsync ?? 'always' })
}

async function openSimulator(
  { env, simulatorEnv, ports }: FoundationOptions,
  log: Log,
): Promise<Simulator | undefined> {
  if (env?.PAYCONEX_URL) return undefined
  const name = 'simulator'
  return onPort(ports?.simulator, async (port) => {
    const url = `http://127.0.0.1:${port}`
    const settings = { ...env, ...simulatorEnv, PORT: String(port), HOST: '127.0.0.1' }
    const child = await startService({
      name,
      app: 'payconex-simulator',
      env: settings,
      readyUrl: url,
      onLine: log(name),
    })
    return { ...child, url }
  })
}
