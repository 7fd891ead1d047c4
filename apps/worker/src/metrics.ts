import type { Entry, PaymentRecord } from '@pay/ledger'
import { createChildren } from '@pay/service'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** What a payment goes through, from its first try to its outcome. */
export type Phase = 'queue' | 'reserve' | 'send' | 'total'

/** What the worker counts. Labels take a handful of values each, none of them from a request (docs/metrics.md). What is counted for
 * every payment costs it no clock and no object of its own, where that can be helped. */
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
  const finishedChildren = createChildren((method) => createChildren((state) => finished.labels(method, state)))
  let finishedAtMs: number | undefined
  new Gauge({
    name: 'pay_worker_last_finished_timestamp_seconds',
    help: 'When the last payment was written down here, by the clock of the ledger',
    registers,
    collect() {
      if (finishedAtMs === undefined) this.remove()
      else this.set(finishedAtMs / 1000)
    },
  })
  const phases = new Histogram({
    name: 'pay_worker_phase_duration_seconds',
    help: 'queue: from the first try until a worker takes it; reserve: until it has an id; send: until what came of it is known; total: from the first try until that is written down',
    labelNames: ['phase'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 22, 55],
    registers,
  })
  const phaseChildren = createChildren((phase) => phases.labels(phase))
  const fences = new Histogram({
    name: 'pay_worker_fence_duration_seconds',
    help: 'Time until the ledger has answered to a fence, by what it said; used: PayConex gave an id that another payment has',
    labelNames: ['verdict'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  })
  const fenceChildren = createChildren((verdict) => fences.labels(verdict))
  const exchanges = new Histogram({
    name: 'pay_worker_payconex_duration_seconds',
    help: 'Time of one question to PayConex, by what was asked and by what it said; unsent: it was never reached',
    labelNames: ['ask', 'answer'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30],
    registers,
  })
  const exchangeChildren = createChildren((ask) => createChildren((answer) => exchanges.labels(ask, answer)))
  const ledgerFailures = new Counter({
    name: 'pay_worker_ledger_failures_total',
    help: 'Steps to which the ledger did not answer, or said no for a reason of its own; most are asked for again',
    labelNames: ['step'],
    registers,
  })
  for (const step of STEPS) ledgerFailures.inc({ step }, 0)
  const reconciliations = new Counter({
    name: 'pay_worker_reconciliations_total',
    help: 'Unconfirmed payments that PayConex was asked about again, by the state they came to',
    labelNames: ['state'],
    registers,
  })
  const reversals = new Counter({
    name: 'pay_worker_reversals_total',
    help: 'Late approvals that were to be undone, by the state they came to; approved: it was provably not done, review: PayConex refused',
    labelNames: ['state'],
    registers,
  })
  for (const state of ['reversed', 'approved', 'review']) reversals.inc({ state }, 0)
  const contradictions = new Counter({
    name: 'pay_worker_contradictions_total',
    help: 'Answers of PayConex that approve something else than was asked, under another id or with another amount, or what was said not to have been charged: somebody may have been charged twice',
    registers,
  })
  const unshredded = new Counter({
    name: 'pay_worker_shred_failures_total',
    help: 'Sealed payments that could not be erased and were left to their time to live',
    registers,
  })
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
  const reservedChildren = createChildren((how) => reserved.labels(how))
  const circuit = new Gauge({
    name: 'pay_worker_circuit_state',
    help: '1 while PayConex is known to be away and nothing is sent, otherwise 0',
    registers,
  })
  circuit.set(0)

  function finish(method: string, state: string): void {
    finishedChildren(method)(state).inc()
  }

  const phase = (name: Phase, ms: number) => phaseChildren(name).observe(secondsIn(ms))

  return {
    registry,
    circuit: (isOpen: boolean) => circuit.set(isOpen ? 1 : 0),
    finished: finish,
    /** What a payment came to, from the state in which it was found. */
    settled(from: PaymentRecord['state'], { state, now, first }: PaymentRecord, remark: Entry['remark']): void {
      finishedAtMs = now
      if (from === 'sending') phase('total', now - first)
      if (from === 'unconfirmed') reconciliations.inc({ state })
      if (from === 'reversing' && state !== 'reversing') reversals.inc({ state })
      if (remark === 'contradiction') contradictions.inc()
    },
    /** PayConex approved what the ledger says was not charged. */
    contradicted: () => contradictions.inc(),
    phase,
    fenced: (verdict: string, ms: number) => fenceChildren(verdict).observe(secondsIn(ms)),
    asked: (ask: string, answer: string, ms: number) => exchangeChildren(ask)(answer).observe(secondsIn(ms)),
    ledgerFailed: (step: string) => ledgerFailures.inc({ step }),
    notShredded: () => unshredded.inc(),
    late: () => late.inc(),
    reserved: (how: 'ahead' | 'waited' | 'unused', count = 1) => reservedChildren(how).inc(count),
    dropped: (count: number) => count > 0 && dropped.inc(count),
  }
}

/** A clock can go back, and prom-client throws at what is no number: nothing that is measured may end a payment. */
const secondsIn = (ms: number) => (ms > 0 && ms < Number.POSITIVE_INFINITY ? ms / 1000 : 0)

/** What is asked of the ledger, as the log names it. */
const STEPS = ['fence', 'repeat', 'finish', 'withdraw', 'take over', 'reverse', 'keep', 'lease']
