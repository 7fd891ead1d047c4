import { describe, expect, it } from 'vitest'
import { createRecentCounts } from './recent-counts.ts'

function start(limit?: number) {
  const clock = { ms: 0 }
  const counts = createRecentCounts({ windowMs: 1000, now: () => clock.ms, ...(limit && { limit }) })
  const add = (name: string, times: number) => {
    for (let nth = 0; nth < times; nth += 1) counts.add(name)
  }
  return { clock, counts, add }
}

describe('recent counts', () => {
  it('are zero for what never happened, and apart for each name', () => {
    const { counts, add } = start()
    add('a', 3)

    expect(['a', 'b', '__proto__'].map(counts.of)).toEqual([3, 0, 0])
  })

  it('fade out while the next window passes, and add up with what happens in it', () => {
    const { clock, counts, add } = start()
    clock.ms = 999
    add('a', 10)

    clock.ms = 1500
    add('a', 1)

    expect(counts.of('a')).toBe(6)
    clock.ms = 2000
    expect(counts.of('a')).toBe(1)
    clock.ms = 3000
    expect(counts.of('a')).toBe(0)
  })

  it('take no more memory than allowed: those who were not counted lately go first', () => {
    const { counts, add } = start(2)
    add('a', 3)
    for (const name of ['b', 'a', 'c', 'd', 'a', 'e']) add(name, 1)

    expect(counts.size()).toBeLessThanOrEqual(4)
    expect(counts.of('b')).toBe(0)
    expect(counts.of('e')).toBe(1)
    expect(counts.of('a')).toBeGreaterThan(0)
  })

  it('cost the same however many names there were', () => {
    const { counts } = start(1000)
    const started = performance.now()

    for (let nth = 0; nth < 200_000; nth += 1) counts.add(`name-${nth}`)

    expect(performance.now() - started).toBeLessThan(5000)
    expect(counts.size()).toBeLessThanOrEqual(2000)
  })
})
