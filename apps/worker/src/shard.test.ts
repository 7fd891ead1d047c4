import { expect, it } from 'vitest'
import { placesIn } from './shard.ts'

it.each([
  [100, 1],
  [100, 6],
  [10, 4],
  [6, 6],
  [7, 6],
])(
  '%i places over %i shards: none is lost, none has two more than another, none has nothing',
  (concurrency, shards) => {
    const places = Array.from({ length: shards }, (_, nth) => placesIn(nth, shards, concurrency))

    expect(places.reduce((sum, each) => sum + each, 0)).toBe(concurrency)
    expect(Math.max(...places) - Math.min(...places)).toBeLessThanOrEqual(1)
    expect(Math.min(...places)).toBeGreaterThan(0)
  },
)
