import { Counter, collectDefaultMetrics, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** What the worker counts. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const finished = new Counter({
    name: 'pay_worker_payments_total',
    help: 'Payments written down, by method and by the state they came to',
    labelNames: ['method', 'state'],
    registers,
  })
  const dropped = new Counter({
    name: 'pay_worker_parameters_dropped_total',
    help: 'Entries of `parameters` that PayConex does not know or that callers may not set',
    registers,
  })
  return {
    registry,
    finished: (method: string, state: string) => finished.inc({ method, state }),
    dropped: (count: number) => dropped.inc(count),
  }
}
