import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { none, readReport, shortcomingOf, sum, summarize } from './counts.ts'

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
  const { counts } = await readReport('no/such/report.json', false)

  expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

it('names the tests that failed, with the first line of the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'counts-'))
  const file = join(folder, 'report.json')
  const one = { status: 'failed', fullName: 'gateway answers', failureMessages: ['expected 1 to be 2\n  at x.ts'] }
  const numbers = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 }
  await writeFile(
    file,
    JSON.stringify({ ...numbers, testResults: [{ assertionResults: [{ status: 'passed', fullName: 'other' }, one] }] }),
  )

  const { counts, failures } = await readReport(file, false)

  expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0 })
  expect(failures).toEqual(['gateway answers\n    expected 1 to be 2'])
  await rm(folder, { recursive: true })
})
