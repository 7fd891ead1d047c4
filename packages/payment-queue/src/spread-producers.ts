import type { Producer } from './payment-queue.ts'

/** The producers of all shards as one: every payment goes to its own, whose number `shardOf` tells. */
export function spreadProducers(
  producers: readonly [Producer, ...Producer[]],
  shardOf: (key: string) => number,
): Producer {
  const [only] = producers
  if (producers.length === 1) return only
  const home = (key: string) => producers[shardOf(key)] ?? only
  return {
    add: (attempt, ...more) => home(attempt.key).add(attempt, ...more),
    awayForMs: (attempt) => home(attempt.key).awayForMs(attempt),
    shred: (attempt) => home(attempt.key).shred(attempt),
    shredAgain: (attempt) => home(attempt.key).shredAgain(attempt),
    close: async () => void (await Promise.all(producers.map((producer) => producer.close()))),
  }
}
