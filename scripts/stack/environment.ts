import { freshKey, freshSealKey } from '../keys/fresh-key.ts'
import type { Foundation } from './foundation.ts'
import type { Environment } from './service.ts'

/** Who a gateway and a worker are on the Redis servers. */
export const redisUrls = (
  app: 'gateway' | 'worker',
  { queue, ledger }: Pick<Foundation, 'queue' | 'ledger'>,
): Environment => ({
  QUEUE_REDIS_URL: queue.urls[app],
  LEDGER_REDIS_URL: ledger.urls[app],
})

/** What gateways and workers must agree on. Keys are made afresh, unless some are given. */
export function stackEnvironment({ queue, ledger, simulator }: Foundation, given: Environment = {}): Environment {
  return {
    HOST: '127.0.0.1',
    QUEUE_REDIS_URL: queue.url,
    LEDGER_REDIS_URL: ledger.url,
    ...(simulator && { PAYCONEX_URL: simulator.url }),
    ...(given.SEAL_KEYS_FILE ? {} : { SEAL_KEYS: freshSealKey('k1') }),
    ...(given.LEDGER_KEY_FILE ? {} : { LEDGER_KEY: freshKey() }),
    ...given,
  }
}
