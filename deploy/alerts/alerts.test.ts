import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { createMetrics as createGatewayMetrics } from '../../apps/gateway/src/metrics.ts'
import { measureOldestWaiting } from '../../apps/gateway/src/oldest-waiting.ts'
import { createMetrics as createWorkerMetrics } from '../../apps/worker/src/metrics.ts'
import { startOperations } from '../../packages/service/src/operations.ts'
import { isHere, runIfHere } from '../testing-tool.ts'
import { prometheusRule } from './prometheus-rule.ts'

type Rule = {
  alert: string
  expr: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const text = readFileSync(at('pay.yaml'), 'utf8')
const runbook = readFileSync(at('../../docs/runbook.md'), 'utf8')
const rules = (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules)

const ADDED_BY_PROMETHEUS = ['job', 'instance', 'namespace', 'pod']

/** What the processes show, with the labels of each. Prometheus itself adds `up`. */
async function shown(): Promise<Map<string, readonly string[]>> {
  const gateway = createGatewayMetrics(() => 0).registry
  measureOldestWaiting(gateway, { lane: () => 0, queue: async () => 0 })
  const both = new Registry()
  const operations = await startOperations({ port: 0, host: '127.0.0.1', problems: () => [], metrics: both })
  operations.close()
  const metrics = [gateway, createWorkerMetrics().registry, both].flatMap((registry) => registry.getMetricsAsArray())
  const named = metrics.map((metric): [string, readonly string[]] => {
    const { labelNames = [], type } = metric as unknown as { labelNames?: readonly string[]; type?: string }
    const ending = type === 'histogram' || 'buckets' in metric ? '_count' : ''
    return [`${metric.name}${ending}`, labelNames]
  })
  return new Map([...named, ['up', []]])
}

/** `name{label="value",...}` or `name` alone. */
const SELECTOR = /\b(up|(?:pay|process|nodejs)_\w+)\b(?:\{([^}]*)\})?/g

const selectorsOf = (expr: string) =>
  [...expr.matchAll(SELECTOR)].map(([, name = '', matchers = '']) => ({
    name,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }))

it.each(rules)('$alert asks for what the processes show', async ({ expr }) => {
  const metrics = await shown()
  const selectors = selectorsOf(expr)

  expect(selectors).not.toEqual([])
  for (const { name, labels } of selectors) {
    expect([...metrics.keys()]).toContain(name)
    expect([...(metrics.get(name) ?? []), ...ADDED_BY_PROMETHEUS]).toEqual(expect.arrayContaining(labels))
  }
})

it.each(rules)('$alert says how bad it is, what it is, and where to read on', ({ alert, labels, annotations }) => {
  expect(labels.severity).toMatch(/^(critical|warning)$/)
  expect(annotations.summary).toMatch(/\.$/)
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

const ofPromtool = isHere('promtool')
  ? 'is understood by promtool, and'
  : 'would be shown to promtool, which is not here:'

it(`${ofPromtool} raises each alert when it should and not otherwise`, { timeout: 30_000 }, () => {
  const checked = runIfHere('promtool', ['check', 'rules', at('pay.yaml')])
  const tested = runIfHere('promtool', ['test', 'rules', at('pay.test.yaml')])

  expect(checked?.status ?? 0, checked?.stderr).toBe(0)
  expect(tested?.status ?? 0, `${tested?.stdout}${tested?.stderr}`).toBe(0)
})
