import { randomBytes } from 'node:crypto'
import type { Foundation } from './foundation.ts'
import type { Environment } from './service.ts'

/** What gateways and workers must agree on. Keys are made afresh, unless some are given. */
export function stackEnvironment({ queue, ledger, simulator }: Foundation, given: Environment = {}): Environment {
  return {
    HOST: '127.0.0.1',
    QUEUE_REDIS_URL: queue.url,
    LEDGER_REDIS_URL: ledger.url,
    ...(simulator && { PAYCONEX_URL: simulator.url }),
    ...(given.SEAL_KEYS_FILE ? {} : { SEAL_KEYS: `k1:${freshKey()}` }),
    ...(given.LEDGER_KEY_FILE ? {} : { LEDGER_KEY: freshKey() }),
    ...given,
  }
}

const freshKey = () => randomBytes(32).toString('base64')
