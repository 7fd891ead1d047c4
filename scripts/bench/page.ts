import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withSection } from '../docs/section.ts'
import { repository } from '../stack/service.ts'
import { drawChart } from './chart.ts'
import type { Result, Table } from './result.ts'
import { goalTable } from './show.ts'

export const PAGE = join(repository, 'docs/benchmarks.md')

export type Written = {
  /** The name of the run: its section stands between two comments that carry it. */
  run: string
  result: Result
  command: string
  machine: string
}

/** Puts a result and its charts into the page, in the place of what the same run found before; a run that is new comes last. */
export async function writePage(written: Written, page = PAGE): Promise<void> {
  const { run, result } = written
  const folder = join(page, '..')
  await Promise.all(result.charts.map((chart) => writeFile(join(folder, chartFile(run, chart.name)), drawChart(chart))))
  await writeFile(page, withSection(await readFile(page, 'utf8'), `bench ${run}`, toMarkdown(written)))
}

function toMarkdown({ run, result, command, machine }: Written): string {
  const { title, notes, tables, charts, goals } = result
  const parts = [
    `## ${title}`,
    `\`${command}\``,
    machine,
    ...notes,
    ...(goals.length > 0 ? [markdownTable(goalTable(goals))] : []),
    ...tables.map(markdownTable),
    ...charts.map((chart) => `![${chart.title}](${chartFile(run, chart.name)})`),
  ]
  return parts.join('\n\n')
}

const chartFile = (run: string, name: string) => `benchmarks-${run}-${name}.svg`

function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
