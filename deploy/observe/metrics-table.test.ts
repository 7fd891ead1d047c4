import { describe, expect, it } from 'vitest'
import { read, rulesIn, selectorsOf, series, shown } from './testing-shown.ts'

const page = read('../../docs/metrics.md')
const rules = rulesIn(read('../alerts/pay.yaml'))

/** `| name | type | labels | what it says | alerts |` */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `pay_'))
  .map((line) => {
    const [name = '', type = '', labels = '', says = '', alerts = ''] = cellsOf(line)
    return { name: unquoted(name), type, labels: labels.split(', ').filter(Boolean).map(unquoted), says, alerts }
  })

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}

function unquoted(text: string): string {
  return text.replaceAll('`', '')
}

describe('the table of what is measured', () => {
  it('has what the processes show, with its type and its labels, and nothing else', async () => {
    const ours = (await shown()).filter(({ name }) => name.startsWith('pay_'))

    const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name)
    const listed = rows.map(({ name, type, labels }) => ({ name, type, labels }))
    expect(listed.toSorted(byName)).toEqual(ours.toSorted(byName))
  })

  it.each(rows)('says which alerts ask for $name', ({ name, type, labels, alerts }) => {
    const names = series({ name, type, labels }).map(([one]) => one)

    const asking = rules.filter(({ expr }) => selectorsOf(expr).some((selector) => names.includes(selector.name)))

    expect(alerts).toBe(asking.map(({ alert }) => alert).join(', '))
  })

  it('says what each is', () => {
    expect(rows.every(({ says }) => says.length > 10)).toBe(true)
  })

  it('keeps to the names that Prometheus asks for', async () => {
    for (const { name, type } of await shown()) {
      if (!name.startsWith('pay_')) continue
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|count|sum|bucket)$/)
    }
  })
})

describe('every metric', () => {
  // What they may be told apart by: a handful of values each, which the program or its operator has chosen.
  const CHOSEN =
    'status verdict method reason where phase step ask answer state how which shard key problem server version'

  it('is told apart by nothing that comes from a request', async () => {
    const labels = (await shown()).filter(({ name }) => name.startsWith('pay_')).flatMap((metric) => metric.labels)

    expect(labels.filter((label) => !CHOSEN.split(' ').includes(label))).toEqual([])
  })
})
