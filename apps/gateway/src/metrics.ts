import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** What the gateway counts. Labels take a handful of values each, none of them from a request. */
export function createMetrics(waiting: () => number) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const answers = new Counter({
    name: 'pay_gateway_answers_total',
    help: 'HTTP answers, by status and by what the caller was told',
    labelNames: ['status', 'verdict'],
    registers,
  })
  const duration = new Histogram({
    name: 'pay_gateway_payment_duration_seconds',
    help: 'Time from a try to its answer; silence: the caller hung up or nothing true could be said',
    labelNames: ['method', 'verdict'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 22, 55],
    registers,
  })
  new Gauge({
    name: 'pay_gateway_waiting_tries',
    help: 'Tries held right now',
    registers,
    collect() {
      this.set(waiting())
    },
  })
  return {
    registry,
    answered: (status: number, verdict: string) => answers.inc({ status, verdict }),
    observe: (method: string, verdict: string, ms: number) => duration.observe({ method, verdict }, ms / 1000),
  }
}
