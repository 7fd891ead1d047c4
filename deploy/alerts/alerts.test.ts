import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { rulesIn, selectorsOf, shown, unknownIn } from '../observe/testing-shown.ts'
import { isHere, runIfHere } from '../testing-tool.ts'
import { prometheusRule } from './prometheus-rule.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const text = readFileSync(at('pay.yaml'), 'utf8')
const runbook = readFileSync(at('../../docs/runbook.md'), 'utf8')
const rules = rulesIn(text)

it.each(rules)('$alert asks for what the processes show', async ({ expr }) => {
  expect(selectorsOf(expr)).not.toEqual([])
  expect(unknownIn(expr, await shown())).toEqual([])
})

it.each(rules)('$alert says how bad it is, what it is, what it means, and where to read on', (rule) => {
  const { alert, labels, annotations } = rule

  expect(labels.severity).toMatch(/^(critical|warning)$/)
  expect(annotations.summary).toMatch(/\.$/)
  expect(annotations.description).toMatch(/\.$/)
  expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`)
  expect(runbook).toContain(`\n## ${alert}\n`)
})

it('has no page in the runbook for an alert that is not there any more', () => {
  const pages = [...runbook.matchAll(/^## ([A-Z]\w+)$/gm)].map(([, name]) => name)

  expect(pages).toEqual(rules.map(({ alert }) => alert))
})

it('is the same for the Prometheus operator (otherwise: node deploy/alerts/make.ts)', () => {
  expect(readFileSync(at('../kubernetes/monitoring/prometheus-rule.yaml'), 'utf8')).toBe(prometheusRule(text))
})

type Expected = { alertname: string; exp_alerts?: unknown[] }

const expected = (
  parse(readFileSync(at('pay.test.yaml'), 'utf8')) as { tests: { alert_rule_test: Expected[] }[] }
).tests.flatMap(({ alert_rule_test: each }) => each)

it.each(rules)('$alert has a test in which it rings, and one in which it does not', ({ alert }) => {
  const rings = expected
    .filter(({ alertname }) => alertname === alert)
    .map(({ exp_alerts = [] }) => exp_alerts.length > 0)

  expect(new Set(rings)).toEqual(new Set([true, false]))
})

const ofPromtool = isHere('promtool')
  ? 'is understood by promtool, and'
  : 'would be shown to promtool, which is not here:'

it(`${ofPromtool} raises each alert when it should and not otherwise`, { timeout: 30_000 }, () => {
  const checked = runIfHere('promtool', ['check', 'rules', at('pay.yaml')])
  const tested = runIfHere('promtool', ['test', 'rules', at('pay.test.yaml')])

  expect(checked?.status ?? 0, checked?.stderr).toBe(0)
  expect(tested?.status ?? 0, `${tested?.stdout}${tested?.stderr}`).toBe(0)
})
