import {
  connectFailingFast,
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  type RequiredSetting,
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
 * break the promise (the latter in MODE=strict; relaxed warns). The settings are looked at again whenever a connection comes
 * back, because another server may have taken the place of the first: then the process stops by itself, through `onWrong`. */
export async function openStores(
  env: SharedEnvironment,
  log: Log,
  onWrong: (error: ConfigurationError) => void,
  startLimitMs = START_LIMIT_MS,
): Promise<Stores> {
  const connect = (url: string) => connectFailingFast({ url, caFile: env.CA_FILE })
  const queue = connect(env.QUEUE_REDIS_URL)
  const ledger = connect(env.LEDGER_REDIS_URL)
  const servers: readonly Server[] = [
    { name: 'QUEUE_REDIS_URL', redis: queue, settings: QUEUE_SETTINGS, alone: QUEUE_ALONE },
    { name: 'LEDGER_REDIS_URL', redis: ledger, settings: LEDGER_SETTINGS, alone: LEDGER_ALONE },
  ]
  const close = async () => void (await Promise.allSettled(servers.map(({ redis }) => quit(redis))))
  try {
    const away = await ofAll(absence)
    if (away.length > 0) throw new ConfigurationError(away)
    judge(await ofAll(check))
  } catch (error) {
    await close()
    throw error
  }
  // A connection that breaks again during the check says nothing; the next one is checked anew.
  const checkAgain = (server: Server) =>
    void check(server)
      .then(judge)
      .catch((error) => error instanceof ConfigurationError && onWrong(error))
  for (const server of servers) server.redis.on('ready', () => checkAgain(server))
  return { queue, ledger, close }

  async function ofAll(look: (server: Server) => Promise<string[]>): Promise<string[]> {
    return (await Promise.all(servers.map(look))).flat()
  }

  function judge(problems: readonly string[]): void {
    if (problems.length === 0) return
    if (env.MODE === 'strict') throw new ConfigurationError(problems)
    for (const problem of problems) log.warn({ setting: problem }, 'would be refused in MODE=strict')
  }

  async function absence({ name, redis }: Server): Promise<string[]> {
    return (await whenReady(redis, startLimitMs)) ? [] : [`${name}: no answer within ${startLimitMs / SECOND} s`]
  }

  async function check({ name, redis, settings, alone }: Server): Promise<string[]> {
    if (env.REDIS_CHECKED_BY_HAND) return []
    const problems = await Promise.all([wrongSettings(redis, settings), wrongReplication(redis, alone)])
    return problems.flat().map((problem) => `${name}: ${problem}`)
  }
}

/** One of the two, and what it must be: its settings, and why no other server may copy it. */
type Server = { name: string; redis: Redis; settings: readonly RequiredSetting[]; alone: string }

/** Says goodbye where somebody listens, hangs up where nobody does. */
async function quit(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return redis.disconnect()
  await redis.quit().catch(() => redis.disconnect())
}
