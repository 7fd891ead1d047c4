import { readFileSync, writeFileSync } from 'node:fs'
import { prometheusRule } from './prometheus-rule.ts'

/* Makes deploy/kubernetes/monitoring/prometheus-rule.yaml from pay.yaml, so that both kinds of Prometheus watch the same. */

const at = (path: string) => new URL(path, import.meta.url)

const alerts = readFileSync(at('pay.yaml'), 'utf8')
writeFileSync(at('../kubernetes/monitoring/prometheus-rule.yaml'), prometheusRule(alerts))
