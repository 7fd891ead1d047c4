import { readFile } from 'node:fs/promises'

export type Counts = { passed: number; failed: number; skipped: number }

export const none: Counts = { passed: 0, failed: 0, skipped: 0 }

/** How many tests of a kind came out how, from the file that vitest's JSON reporter wrote. A run that ended badly before it
 * could count (no file), or although no test failed, shows one failure: a table of zeros must not look like success. */
export async function readCounts(file: string, succeeded: boolean): Promise<Counts> {
  const counts = await readFile(file, 'utf8').then(parseCounts, () => none)
  const failed = succeeded ? counts.failed : Math.max(counts.failed, 1)
  return { ...counts, failed }
}

function parseCounts(text: string): Counts {
  const report = JSON.parse(text)
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
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
