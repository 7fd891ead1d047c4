import { shortcomingOf } from '../test/counts.ts'
import type { Outcome } from './run.ts'

/** Whether everything that ran passed, and something ran. */
export const isGood = ({ kinds }: Outcome) =>
  kinds.every(({ report: { counts } }) => counts.failed === 0 && shortcomingOf(counts) === undefined)

/** A table in Markdown, and below it the names of what failed. */
export function toTable(outcomes: readonly Outcome[]): string {
  const head = ['server', 'Node', ...(outcomes[0]?.kinds.map(({ kind }) => kind) ?? [])]
  const rows = outcomes.map(({ server, node, kinds }) => [server, node, ...kinds.map(cell)])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ...outcomes.flatMap(failuresOf)].join('\n')
}

const cell = ({ report: { counts }, ms }: Outcome['kinds'][number]) =>
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''} (${Math.round(ms / 1_000)} s)`

const failuresOf = ({ server, node, kinds }: Outcome) =>
  kinds.flatMap(({ kind, report }) =>
    report.failures.map((name) => `\n- ${server}, Node ${node}, ${kind}: ${name.split('\n')[0]}`),
  )
