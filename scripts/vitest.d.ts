import 'vitest'

declare module 'vitest' {
  /** What `integration-redis.ts` hands to the integration tests. */
  interface ProvidedContext {
    queueRedisUrl: string
    ledgerRedisUrl: string
  }
}
