import type { PaymentRecord } from '@pay/ledger'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { scriptedPayconex } from './testing.ts'
import { timePayconex } from './time-payconex.ts'

const linesOf = async ({ registry }: ReturnType<typeof createMetrics>) => (await registry.metrics()).split('\n')

const record = (changes: Partial<PaymentRecord>): PaymentRecord => ({
  key: 'p_1',
  state: 'approved',
  attempt: 1,
  fingerprint: 'one',
  now: 1_700_000_003_000,
  first: 1_700_000_000_000,
  asked: 0,
  method: 'charge',
  account: '120615000001',
  custom_id: 'tx-1',
  reversals: 0,
  ...changes,
})

describe('an outcome', () => {
  it('of a payment that was just sent says how long all of it took, and when that was', async () => {
    const metrics = createMetrics()

    metrics.settled('sending', record({}), undefined)

    const lines = await linesOf(metrics)
    expect(lines).toContain('pay_worker_phase_duration_seconds_sum{phase="total"} 3')
    expect(lines).toContain('pay_worker_last_finished_timestamp_seconds 1700000003')
  })

  it('of one that was unconfirmed is a reconciliation, and says nothing of how long a payment takes', async () => {
    const metrics = createMetrics()

    metrics.settled('unconfirmed', record({ state: 'declined' }), undefined)

    const lines = await linesOf(metrics)
    expect(lines).toContain('pay_worker_reconciliations_total{state="declined"} 1')
    expect(lines.join()).not.toContain('phase="total"')
  })

  it.each(['reversed', 'approved', 'review'] as const)('of one that was to be undone is counted: %s', async (state) => {
    const metrics = createMetrics()

    metrics.settled('reversing', record({ state }), undefined)

    expect(await linesOf(metrics)).toContain(`pay_worker_reversals_total{state="${state}"} 1`)
  })

  it('of one that is being undone still is none', async () => {
    const metrics = createMetrics()

    metrics.settled('reversing', record({ state: 'reversing' }), undefined)

    expect((await linesOf(metrics)).filter((line) => /^pay_worker_reversals_total.* [^0]/.test(line))).toEqual([])
  })

  it('that PayConex contradicts is counted, and nothing else is', async () => {
    const metrics = createMetrics()
    metrics.settled('sending', record({ state: 'approved' }), 'absent')
    expect(await linesOf(metrics)).toContain('pay_worker_contradictions_total 0')

    metrics.settled('sending', record({ state: 'review' }), 'contradiction')

    expect(await linesOf(metrics)).toContain('pay_worker_contradictions_total 1')
  })

  it.each([1_600_000_000_000, Number.NaN, Number.POSITIVE_INFINITY])(
    'never ends a payment, whatever a clock says (%s): it took no time then',
    async (now) => {
      const metrics = createMetrics()

      metrics.settled('sending', record({ now }), undefined)

      expect(await linesOf(metrics)).toContain('pay_worker_phase_duration_seconds_sum{phase="total"} 0')
    },
  )
})

describe('a worker that has finished nothing yet', () => {
  it('does not say when it did', async () => {
    expect((await linesOf(createMetrics())).join('\n')).not.toMatch(/^pay_worker_last_finished/m)
  })
})

describe('a question to PayConex', () => {
  it('is timed and counted by what was said, and its answer is passed on', async () => {
    const metrics = createMetrics()
    let now = 0
    const answer = { kind: 'unanswered', reason: 'timeout' } as const
    const lost = () => {
      now += 250
      return answer
    }
    const { payconex } = scriptedPayconex({ lookUp: [lost] })
    const timed = timePayconex(payconex, { clock: { now: () => now }, metrics })

    const said = await timed.lookUp({} as never, {} as never)

    expect(said).toEqual(answer)
    const series = 'pay_worker_payconex_duration_seconds'
    expect(await linesOf(metrics)).toContain(`${series}_sum{ask="look up",answer="unanswered"} 0.25`)
    expect(await linesOf(metrics)).toContain(`${series}_count{ask="look up",answer="unanswered"} 1`)
  })
})
