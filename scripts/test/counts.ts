import { readFile } from 'node:fs/promises'

export type Counts = { passed: number; failed: number; skipped: number }

export const none: Counts = { passed: 0, failed: 0, skipped: 0 }

/** What vitest's JSON reporter wrote of a kind: how many tests came out how, and the names of those that failed. */
export type Report = { counts: Counts; failures: readonly string[] }

/** A run that ended badly before it could count (no file), or although no test failed, shows one failure: a table of zeros must not
 * look like success. */
export async function readReport(file: string, succeeded: boolean): Promise<Report> {
  const { counts, failures } = await readFile(file, 'utf8').then(parseReport, () => ({ counts: none, failures: [] }))
  const failed = succeeded ? counts.failed : Math.max(counts.failed, 1)
  return { counts: { ...counts, failed }, failures }
}

type Written = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { assertionResults: { status: string; fullName: string; failureMessages?: string[] }[] }[]
}

function parseReport(text: string): Report {
  const { testResults, ...written }: Written = JSON.parse(text)
  const failures = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages = [] }) => `${fullName}\n    ${failureMessages[0]?.split('\n')[0] ?? ''}`)
  return {
    counts: {
      passed: written.numPassedTests,
      failed: written.numFailedTests,
      skipped: written.numPendingTests + written.numTodoTests,
    },
    failures,
  }
}

/** What keeps a kind from counting as passed, besides a failed test: none ran, or some were left out. */
export function shortcomingOf({ passed, failed, skipped }: Counts): string | undefined {
  if (passed + failed === 0) return 'no tests ran'
  if (skipped > 0) return `${skipped} skipped`
  return undefined
}

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    none,
  )
}

/** The last line of a run, such as `412 passed, 0 failed`. */
export function summarize({ passed, failed, skipped }: Counts): string {
  return [`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ')
}
