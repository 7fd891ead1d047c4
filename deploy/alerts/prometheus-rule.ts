import { parse, stringify } from 'yaml'

const HEAD = '# Made from deploy/alerts/pay.yaml by `node deploy/alerts/make.ts`: change that one.\n'

/** The alerts as the Prometheus operator takes them. `alerts` is the text of a file as Prometheus itself takes it. */
export function prometheusRule(alerts: string): string {
  const { groups } = parse(alerts) as { groups: unknown }
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'pay', labels: { 'app.kubernetes.io/part-of': 'payconex-pay-connector' } },
    spec: { groups },
  }
  return HEAD + stringify(rule, { lineWidth: 0 })
}
