import 'vitest'

declare module 'vitest' {
  /** What `scripts/test-redis.ts` hands to the integration tests. */
  interface ProvidedContext {
    queueRedisUrl: string
    ledgerRedisUrl: string
  }
}
