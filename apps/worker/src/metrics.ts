import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

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
  // What grows from 0 is seen to grow; a series that begins with 1 is not.
  for (const method of ['charge', 'tokenize']) finished.inc({ method, state: 'review' }, 0)
  const dropped = new Counter({
    name: 'pay_worker_parameters_dropped_total',
    help: 'Entries of `parameters` that PayConex does not know or that callers may not set',
    registers,
  })
  const late = new Counter({
    name: 'pay_worker_late_approvals_total',
    help: 'Charges that were approved and kept although nobody can have heard of them',
    registers,
  })
  const reserved = new Counter({
    name: 'pay_worker_reserved_ids_total',
    help: 'Ids that payments took: reserved ahead, or waited for; and those reserved ahead that grew too old unused',
    labelNames: ['how'],
    registers,
  })
  const circuit = new Gauge({
    name: 'pay_worker_circuit_state',
    help: '1 while PayConex is known to be away and nothing is sent, otherwise 0',
    registers,
  })
  circuit.set(0)
  return {
    registry,
    circuit: (isOpen: boolean) => circuit.set(isOpen ? 1 : 0),
    finished: (method: string, state: string) => finished.inc({ method, state }),
    late: () => late.inc(),
    reserved: (how: 'ahead' | 'waited' | 'unused', count = 1) => reserved.inc({ how }, count),
    dropped: (count: number) => dropped.inc(count),
  }
}
