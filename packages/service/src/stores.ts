import {
  connectFailingFast,
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  whenReady,
  wrongReplication,
  wrongSettings,
} from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import { ConfigurationError } from './environment.ts'
import type { Log } from './log.ts'
import type { SharedEnvironment } from './shared-variables.ts'
import { SECOND } from './times.ts'

/** The two Redis servers, connected and checked. */
export type Stores = { queue: Redis; ledger: Redis; close: () => Promise<void> }

const START_LIMIT_MS = 15 * SECOND

/** Connects to both servers, and refuses to go on when one cannot be reached, or is set up or replicated so that it would
 * break the promise (the latter in MODE=strict; relaxed warns). The settings are looked at again whenever a connection comes back, because
 * another server may have taken the place of the first: then the process stops by itself, through `onWrong`. */
export async function openStores(
  env: SharedEnvironment,
  log: Log,
  onWrong: (error: ConfigurationError) => void,
  startLimitMs = START_LIMIT_MS,
): Promise<Stores> {
  const connect = (url: string) => connectFailingFast({ url, caFile: env.CA_FILE })
  const queue = connect(env.QUEUE_REDIS_URL)
  const ledger = connect(env.LEDGER_REDIS_URL)
  const checks = [
    () => check('QUEUE_REDIS_URL', () => [wrongSettings(queue, QUEUE_SETTINGS), wrongReplication(queue, QUEUE_ALONE)]),
    () =>
      check('LEDGER_REDIS_URL', () => [wrongSettings(ledger, LEDGER_SETTINGS), wrongReplication(ledger, LEDGER_ALONE)]),
  ] as const
  const close = async () => void (await Promise.allSettled([queue, ledger].map(quit)))
  try {
    const away = (await Promise.all([absence('QUEUE_REDIS_URL', queue), absence('LEDGER_REDIS_URL', ledger)])).flat()
    if (away.length > 0) throw new ConfigurationError(away)
    judge((await Promise.all(checks.map((look) => look()))).flat())
  } catch (error) {
    await close()
    throw error
  }
  // A connection that breaks again during the check says nothing; the next one is checked anew.
  const again = (look: () => Promise<string[]>) => () =>
    void look()
      .then(judge)
      .catch((error) => error instanceof ConfigurationError && onWrong(error))
  queue.on('ready', again(checks[0]))
  ledger.on('ready', again(checks[1]))
  return { queue, ledger, close }

  function judge(problems: readonly string[]): void {
    if (problems.length === 0) return
    if (env.MODE === 'strict') throw new ConfigurationError(problems)
    for (const problem of problems) log.warn({ setting: problem }, 'would be refused in MODE=strict')
  }

  async function absence(name: string, redis: Redis): Promise<string[]> {
    return (await whenReady(redis, startLimitMs)) ? [] : [`${name}: no answer within ${startLimitMs / SECOND} s`]
  }

  async function check(name: string, look: () => Promise<string[]>[]): Promise<string[]> {
    if (env.REDIS_CHECKED_BY_HAND) return []
    return (await Promise.all(look())).flat().map((problem) => `${name}: ${problem}`)
  }
}

/** Says goodbye where somebody listens, hangs up where nobody does. */
async function quit(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return redis.disconnect()
  await redis.quit().catch(() => redis.disconnect())
}
