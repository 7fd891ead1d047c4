import { createChildren } from '@pay/service'
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
  // What grows from 0 is seen to grow; a series that begins with 1 is not.
  for (const method of ['charge', 'tokenize']) duration.zero({ method, verdict: 'unconfirmed' })
  const admissions = new Counter({
    name: 'pay_gateway_admissions_total',
    help: 'Tries that the ledger knows: new, join (its payment is under way), replay (it is over), reused (its id is that of another request)',
    labelNames: ['verdict'],
    registers,
  })
  for (const verdict of ['new', 'join', 'replay', 'reused']) admissions.inc({ verdict }, 0)
  const dropped = new Counter({
    name: 'pay_gateway_dropped_connections_total',
    help: 'Connections that were not taken because there were too many',
    registers,
  })
  const refusals = new Counter({
    name: 'pay_gateway_shed_total',
    help: 'New payments that were not taken, by reason',
    labelNames: ['reason'],
    registers,
  })
  const refusalDuration = new Histogram({
    name: 'pay_gateway_refusal_duration_seconds',
    help: 'Time from a try until it was refused because its payment cannot be taken',
    labelNames: ['reason'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
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
  const answersOf = createChildren((status) => createChildren((verdict) => answers.labels(status, verdict)))
  const durationOf = createChildren((method) => createChildren((verdict) => duration.labels(method, verdict)))
  const admissionsOf = createChildren((verdict) => admissions.labels(verdict))
  return {
    registry,
    admitted: (verdict: string) => admissionsOf(verdict).inc(),
    refused(reason: string, ms: number): void {
      refusals.inc({ reason })
      refusalDuration.observe({ reason }, ms / 1000)
    },
    dropped: () => dropped.inc(),
    answered: (status: number, verdict: string) => answersOf(String(status))(verdict).inc(),
    observe: (method: string, verdict: string, ms: number) => durationOf(method)(verdict).observe(ms / 1000),
  }
}
