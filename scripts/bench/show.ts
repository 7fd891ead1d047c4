import { styleText } from 'node:util'
import type { Goal, Result, Table } from './result.ts'

/** A result for people at a terminal. */
export function showResult({ title, notes, tables, goals }: Result): string {
  const parts = [
    styleText('bold', title),
    ...notes,
    ...tables.map(showTable),
    ...(goals.length > 0 ? [showTable(goalTable(goals))] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

/** Columns as wide as what stands in them. */
function showTable({ head, rows }: Table): string {
  const widths = head.map((name, nth) => Math.max(name.length, ...rows.map((row) => (row[nth] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, nth) => cell.padEnd(widths[nth] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export const goalTable = (goals: readonly Goal[]): Table => ({
  head: ['goal', 'limit', 'measured', ''],
  rows: goals.map(({ figure, goal, value, isMet }) => [figure, goal, value, isMet ? 'met' : 'not met']),
})
