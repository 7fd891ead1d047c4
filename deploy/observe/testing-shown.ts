import { readFileSync } from 'node:fs'
import { type Metric, Registry } from 'prom-client'
import { parse } from 'yaml'
import { createMetrics as createGatewayMetrics } from '../../apps/gateway/src/metrics.ts'
import { measureOldestWaiting } from '../../apps/gateway/src/oldest-waiting.ts'
import { showCertificate } from '../../apps/gateway/src/show-certificate.ts'
import { showWeather } from '../../apps/gateway/src/show-weather.ts'
import { createMetrics as createWorkerMetrics } from '../../apps/worker/src/metrics.ts'
import { showLedger } from '../../apps/worker/src/show-ledger.ts'
import { showPlaces } from '../../apps/worker/src/show-places.ts'
import { startOperations } from '../../packages/service/src/operations.ts'
import { showSettings } from '../../packages/service/src/show-settings.ts'

/** Support for this folder's tests, and for those of its neighbours. */

export type Shown = { name: string; type: string; labels: readonly string[] }

/** What gateways and workers show, put together as they do it. That they do is seen end to end (e2e/prometheus.test.ts). */
export async function shown(): Promise<Shown[]> {
  const gateway = createGatewayMetrics(() => 0).registry
  measureOldestWaiting(gateway, { lane: () => 0, queue: async () => 0 })
  showWeather(gateway, () => undefined)
  showCertificate(gateway, () => undefined)
  const worker = createWorkerMetrics().registry
  showLedger(worker)
  showPlaces(worker, { all: 0, busy: () => [] })
  const both = new Registry()
  showSettings(both, { wrongSettings: async () => [] })
  const operations = await startOperations({ port: 0, host: '127.0.0.1', problems: () => [], metrics: both })
  operations.close()
  return [gateway, worker, both].flatMap((registry) => registry.getMetricsAsArray()).map(toShown)
}

/** What prom-client's types leave out. */
function toShown(metric: object): Shown {
  const { name, labelNames = [] } = metric as Metric & { name: string; labelNames?: readonly string[] }
  return { name, type: typeOf(metric), labels: labelNames }
}

const typeOf = (metric: object) => metric.constructor.name.toLowerCase()

/** What a query can ask for: of a histogram its parts. `up` is Prometheus' own. */
export function series({ name, type, labels }: Shown): (readonly [string, readonly string[]])[] {
  if (type !== 'histogram') return [[name, labels]]
  return [
    [`${name}_bucket`, [...labels, 'le']],
    [`${name}_sum`, labels],
    [`${name}_count`, labels],
  ]
}

const ADDED_BY_PROMETHEUS = ['job', 'instance', 'namespace', 'pod']

/** What a query asks for that nobody shows: names, or labels that a series has not. Empty when all is well. */
export function unknownIn(query: string, all: readonly Shown[]): string[] {
  const known = new Map<string, readonly string[]>([...all.flatMap(series), ['up', []]])
  return selectorsOf(query).flatMap(({ name, labels }) => {
    const its = known.get(name)
    if (!its) return [name]
    return labels
      .filter((label) => ![...its, ...ADDED_BY_PROMETHEUS].includes(label))
      .map((label) => `${name}{${label}}`)
  })
}

/** `name{label="value",...}` or `name` alone. */
const SELECTOR = /\b(up|(?:pay|process|nodejs)_\w+)\b(?:\{([^}]*)\})?/g

export const selectorsOf = (query: string) =>
  [...query.matchAll(SELECTOR)].map(([, name = '', matchers = '']) => ({
    name,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }))

export type Rule = {
  alert: string
  expr: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

export const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

export const rulesIn = (text: string) =>
  (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules)
