import type { TestProject } from 'vitest/node'
import { startTestRedis } from './servers.ts'

declare module 'vitest' {
  interface ProvidedContext {
    queueRedisUrl: string
    ledgerRedisUrl: string
  }
}

/** Gives the integration tests two real Redis servers: `inject('queueRedisUrl')` and `inject('ledgerRedisUrl')`. Without a
 * Redis the run fails; nothing is skipped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [queue, ledger] = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  project.provide('queueRedisUrl', queue.url)
  project.provide('ledgerRedisUrl', ledger.url)
  return async () => {
    await Promise.all([queue.stop(), ledger.stop()])
  }
}
