/** One panel: what it is called, what it asks, and in which unit of Grafana's the answer is. */
export type Panel = {
  title: string
  /** What somebody who is woken up should know about it. */
  about: string
  unit: string
  queries: readonly Query[]
  /** One number, coloured from these limits on; otherwise lines over time. */
  limits?: { orange?: number; red: number }
  stacked?: boolean
}

/** `says` names a line, with the values of labels in {{}}. */
export type Query = { ask: string; says: string }

export type Row = { title: string; panels: readonly Panel[] }

const RATE = '[$__rate_interval]'

/** A share of all observations of a histogram was faster than this. */
const quantile = (share: number, histogram: string, by: string, of = '') =>
  `histogram_quantile(${share}, sum by (le, ${by}) (rate(${histogram}_bucket${of}${RATE})))`

const quantiles = (shares: readonly number[], histogram: string, by: string, of = ''): Query[] =>
  shares.map((share) => ({ ask: quantile(share, histogram, by, of), says: `p${share * 100} {{${by}}}` }))

/** What one worker counts for all, and for a moment two. */
const onLedger = (metric: string) => `sum(max by (shard) (${metric}))`

const answered = 'pay_gateway_payment_duration_seconds_count'

/** What somebody on call looks at, from top to bottom. */
export const ROWS: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      {
        title: 'Alerts that ring',
        about: 'docs/runbook.md has a page for each.',
        unit: 'none',
        queries: [
          { ask: 'count(ALERTS{alertstate="firing", severity=~"critical|warning"}) or vector(0)', says: 'alerts' },
        ],
        limits: { red: 1 },
      },
      {
        title: 'Oldest unconfirmed',
        about:
          'Time since the first try of the unconfirmed payment that began first. Five minutes: somebody must look.',
        unit: 's',
        queries: [{ ask: 'max(pay_ledger_oldest_unconfirmed_seconds)', says: 'oldest' }],
        limits: { orange: 60, red: 300 },
      },
      {
        title: 'In review',
        about: 'A person must decide about these.',
        unit: 'none',
        queries: [{ ask: onLedger('pay_ledger_payments{state="review"}'), says: 'in review' }],
        limits: { red: 1 },
      },
      {
        title: 'Oldest waiting',
        about: 'How long the payment has waited for a worker that waits longest.',
        unit: 's',
        queries: [{ ask: 'max(pay_gateway_oldest_waiting_seconds)', says: 'oldest' }],
        limits: { orange: 1, red: 2 },
      },
      {
        title: 'PayConex',
        about: 'Share of the workers to which PayConex is away: 0 is well, 100 % sends nothing.',
        unit: 'percentunit',
        queries: [{ ask: 'avg(pay_worker_circuit_state)', says: 'away' }],
        limits: { orange: 0.01, red: 1 },
      },
      {
        title: 'Processes down',
        about: 'Gateways and workers that Prometheus knows of and does not reach.',
        unit: 'none',
        queries: [{ ask: 'count(up{job=~"pay-gateway|pay-worker"} == 0) or vector(0)', says: 'down' }],
        limits: { red: 1 },
      },
    ],
  },
  {
    title: 'What callers hear',
    panels: [
      {
        title: 'Tries, by what they were told',
        about: 'approved, declined and unconfirmed are about money; silence: the caller hung up and tries again.',
        unit: 'reqps',
        queries: [{ ask: `sum by (verdict) (rate(${answered}${RATE}))`, says: '{{verdict}}' }],
        stacked: true,
      },
      {
        title: 'Unconfirmed, as a share of all answers',
        about: 'PaymentsUnconfirmed rings at 0.5 %.',
        unit: 'percentunit',
        queries: [
          {
            ask: `sum(rate(${answered}{verdict="unconfirmed"}${RATE})) / sum(rate(${answered}{verdict!="silence"}${RATE}))`,
            says: 'unconfirmed',
          },
        ],
      },
      {
        title: 'Time to an answer, by verdict',
        about: 'From a try until its answer. Twilio tries again after ten seconds.',
        unit: 's',
        queries: quantiles(
          [0.5, 0.95, 0.99],
          'pay_gateway_payment_duration_seconds',
          'verdict',
          '{verdict!="silence"}',
        ),
      },
      {
        title: 'Tries, by what the ledger knew',
        about: 'join and replay are repeats of Twilio; reused is an id that belongs to another request.',
        unit: 'reqps',
        queries: [{ ask: `sum by (verdict) (rate(pay_gateway_admissions_total${RATE}))`, says: '{{verdict}}' }],
      },
      {
        title: 'New payments that were refused, by reason',
        about: 'Callers heard not_processed. PaymentsRefused in docs/runbook.md has a line for each reason.',
        unit: 'reqps',
        queries: [{ ask: `sum by (reason) (rate(pay_gateway_shed_total${RATE}))`, says: '{{reason}}' }],
        stacked: true,
      },
      {
        title: 'HTTP answers that are about no payment',
        about:
          '401: credentials; 400, 413 and the like: not ours to read. Connections that were not taken at all are here, too.',
        unit: 'reqps',
        queries: [
          { ask: `sum by (status) (rate(pay_gateway_answers_total{status!="200"}${RATE}))`, says: '{{status}}' },
          { ask: `sum(rate(pay_gateway_dropped_connections_total${RATE}))`, says: 'not taken' },
        ],
      },
    ],
  },
  {
    title: 'On the way',
    panels: [
      {
        title: 'In flight',
        about: 'Tries held by gateways, payments on the queue, payments in work, and how many could be.',
        unit: 'none',
        queries: [
          { ask: 'sum(pay_gateway_waiting_tries)', says: 'tries held' },
          { ask: 'max(pay_gateway_queue_jobs)', says: 'on the queue' },
          { ask: 'sum(pay_worker_places{which="busy"})', says: 'in work' },
          { ask: 'sum(pay_worker_places{which="all"})', says: 'places' },
        ],
      },
      {
        title: 'Waiting for a worker',
        about: 'The oldest in a lane (for its account’s turn) and on the queue (for a worker).',
        unit: 's',
        queries: [{ ask: 'max by (where) (pay_gateway_oldest_waiting_seconds)', says: '{{where}}' }],
      },
      {
        title: 'Phases of a payment (p95)',
        about:
          'queue: until a worker takes it; reserve: until it has an id; send: until it is known what came of it; total.',
        unit: 's',
        queries: quantiles([0.95], 'pay_worker_phase_duration_seconds', 'phase'),
      },
      {
        title: 'Outcomes written down',
        about: 'By state. An unconfirmed payment that became known is counted twice.',
        unit: 'reqps',
        queries: [{ ask: `sum by (state) (rate(pay_worker_payments_total${RATE}))`, says: '{{state}}' }],
        stacked: true,
      },
    ],
  },
  {
    title: 'PayConex',
    panels: [
      {
        title: 'Time of one question (p50, p95)',
        about: 'Whatever was answered, also nothing.',
        unit: 's',
        queries: quantiles([0.5, 0.95], 'pay_worker_payconex_duration_seconds', 'ask'),
      },
      {
        title: 'Answers',
        about: 'unanswered: lost, or without sense; unsent: never connected.',
        unit: 'reqps',
        queries: [
          {
            ask: `sum by (ask, answer) (rate(pay_worker_payconex_duration_seconds_count${RATE}))`,
            says: '{{ask}}: {{answer}}',
          },
        ],
        stacked: true,
      },
      {
        title: 'Share of questions without an answer',
        about: 'By what was asked.',
        unit: 'percentunit',
        queries: [
          {
            ask:
              `sum by (ask) (rate(pay_worker_payconex_duration_seconds_count{answer=~"unanswered|unsent"}${RATE}))` +
              ` / sum by (ask) (rate(pay_worker_payconex_duration_seconds_count${RATE}))`,
            says: '{{ask}}',
          },
        ],
      },
      {
        title: 'Away, by worker',
        about: '1: this worker sends nothing until PayConex has answered it.',
        unit: 'none',
        queries: [{ ask: 'pay_worker_circuit_state', says: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Unclear payments and the ledger',
    panels: [
      {
        title: 'Payments that are not over',
        about: 'accepted and sending are under way. late: charged, and nobody can have heard of it.',
        unit: 'none',
        queries: [{ ask: 'sum by (state) (max by (shard, state) (pay_ledger_payments))', says: '{{state}}' }],
      },
      {
        title: 'Asked about again, by what they came to',
        about: 'unconfirmed: still not known, asked again later.',
        unit: 'reqps',
        queries: [
          { ask: `sum by (state) (rate(pay_worker_reconciliations_total${RATE}))`, says: '{{state}}' },
          { ask: `sum by (state) (rate(pay_worker_reversals_total${RATE}))`, says: 'undoing: {{state}}' },
        ],
      },
      {
        title: 'Contradictions and late approvals of a day',
        about: 'Contradictions must stay 0: somebody may have been charged twice.',
        unit: 'none',
        queries: [
          { ask: 'sum(increase(pay_worker_contradictions_total[1d]))', says: 'contradictions' },
          { ask: 'sum(increase(pay_worker_late_approvals_total[1d]))', says: 'late approvals' },
        ],
      },
      {
        title: 'Overdue',
        about: 'Due to be looked at, and no sweeper has. Nothing at all: nobody sweeps.',
        unit: 'none',
        queries: [{ ask: onLedger('pay_ledger_overdue_payments'), says: 'overdue' }],
      },
      {
        title: 'Time of a fence (p50, p99)',
        about: 'The ledger writes to its disk before it answers.',
        unit: 's',
        queries: quantiles([0.5, 0.99], 'pay_worker_fence_duration_seconds', 'verdict'),
      },
      {
        title: 'Redis: problems and failures',
        about: 'What /readyz names, settings that break the promise, and steps to which the ledger did not answer.',
        unit: 'none',
        queries: [
          { ask: 'count by (problem) (pay_problem)', says: 'not reached: {{problem}}' },
          { ask: 'max by (server) (pay_redis_wrong_settings)', says: 'wrong settings: {{server}}' },
          { ask: `sum by (step) (rate(pay_worker_ledger_failures_total${RATE}))`, says: 'failed a second: {{step}}' },
        ],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'CPU',
        about: 'Each process has one core: 100 % is full.',
        unit: 'percentunit',
        queries: [
          {
            ask: `rate(process_cpu_seconds_total{job=~"pay-gateway|pay-worker"}${RATE})`,
            says: '{{job}} {{instance}}',
          },
        ],
      },
      {
        title: 'Memory',
        about: 'Resident.',
        unit: 'bytes',
        queries: [
          { ask: 'process_resident_memory_bytes{job=~"pay-gateway|pay-worker"}', says: '{{job}} {{instance}}' },
        ],
      },
      {
        title: 'Event loop is late (p99)',
        about: 'ProcessBusy rings at 0.25 s.',
        unit: 's',
        queries: [
          { ask: 'nodejs_eventloop_lag_p99_seconds{job=~"pay-gateway|pay-worker"}', says: '{{job}} {{instance}}' },
        ],
      },
      {
        title: 'Versions',
        about: 'More than one: an update is under way.',
        unit: 'none',
        queries: [{ ask: 'count by (job, version) (pay_build_info)', says: '{{job}} {{version}}' }],
      },
      {
        title: 'Days until the certificate expires',
        about: 'Of the gateways’ own TLS. Empty where a proxy has it.',
        unit: 'd',
        queries: [
          { ask: '(min(pay_gateway_certificate_expiry_timestamp_seconds) - time()) / 86400', says: 'certificate' },
        ],
      },
      {
        title: 'Age of keys',
        about: 'Days since the ledger first heard of a key of SEAL_KEYS.',
        unit: 'd',
        queries: [{ ask: 'max by (key) (pay_ledger_seal_key_age_seconds) / 86400', says: '{{key}}' }],
      },
    ],
  },
]
