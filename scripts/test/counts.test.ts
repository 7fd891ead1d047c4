import { expect, it } from 'vitest'
import { none, readCounts, shortcomingOf, sum, summarize } from './counts.ts'

it('sums the kinds into one plain line', () => {
  const kinds = [
    { passed: 10, failed: 0, skipped: 0 },
    { passed: 2, failed: 1, skipped: 0 },
  ]

  const line = summarize(sum(kinds))

  expect(line).toBe('12 passed, 1 failed')
})

it('mentions skipped tests only when there are some', () => {
  const line = summarize({ passed: 1, failed: 0, skipped: 2 })

  expect(line).toBe('1 passed, 0 failed, 2 skipped')
})

it('does not let a kind pass in which no test ran, or one was skipped', () => {
  expect(shortcomingOf(none)).toBe('no tests ran')
  expect(shortcomingOf({ passed: 5, failed: 0, skipped: 1 })).toBe('1 skipped')
  expect(shortcomingOf({ passed: 5, failed: 0, skipped: 0 })).toBeUndefined()
})

it('counts a run that ended before it could report as one failure', async () => {
  const counts = await readCounts('no/such/report.json', false)

  expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 })
})
