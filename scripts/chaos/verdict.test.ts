import { describe, expect, it } from 'vitest'
import type { Told } from './caller.ts'
import type { Deed } from './nemesis.ts'
import type { Books, Call, Charge, OurRecord } from './oracle.ts'
import { type Happened, reach } from './verdict.ts'

const account = '120615000001'
const deed = (kind: string, from: number, end: number): Deed => ({ kind, from, to: end, end, what: '' })

/** A hundred payments, one every 10 ms from 1000 on, all approved. */
function hundred(change: (nth: number) => Partial<Call> = () => ({})): Books {
  const numbers = Array.from({ length: 100 }, (_, nth) => nth)
  const callers = numbers.map((nth): Call => {
    const told: Told = { kind: 'approved', id: `id${nth}` }
    const common = {
      customId: `c${nth}`,
      account,
      method: 'charge',
      amount: '5.00',
      role: 'pays',
      isSecond: false,
    } as const
    return {
      ...common,
      begun: 1000 + nth * 10,
      ended: 1005 + nth * 10,
      tries: 1,
      told,
      fault: undefined,
      ...change(nth),
    }
  })
  const isPaid = (nth: number) => callers[nth]?.told?.kind === 'approved'
  const payconex = numbers.filter(isPaid).map(
    (nth): Charge => ({
      transaction_id: `id${nth}`,
      account_id: account,
      transaction_type: 'SALE',
      custom_id: `c${nth}`,
      transaction_amount: '5.00',
      approved: true,
    }),
  )
  const ours = numbers.map(
    (nth): OurRecord => ({
      customId: `c${nth}`,
      account,
      method: 'charge',
      state: isPaid(nth) ? 'approved' : 'not_sent',
      attempt: 1,
      id: isPaid(nth) ? `id${nth}` : '',
    }),
  )
  return { payconex, ours, callers }
}

const happened = (planted: Partial<Happened> = {}): Happened => ({ deeds: [], starved: [], kinds: [], ...planted })
const refusedFrom = (first: number) => hundred((nth) => (nth >= first ? { told: { kind: 'not_processed' } } : {}))

describe('a run', () => {
  it('passes when all is well', () => {
    const verdict = reach(hundred(), happened({ deeds: [deed('kill_worker', 1000, 1050)], kinds: ['kill_worker'] }))

    expect(verdict).toMatchObject({ payments: 100, approved: 1, silent: 0, untouched: 94, failures: [] })
  })

  it('fails when fewer than 80 % were approved, although each was touched', () => {
    const { failures } = reach(refusedFrom(79), happened({ deeds: [deed('stop_queue', 1790, 9999)] }))

    expect(failures).toEqual(['only 79.0 % were approved'])
  })

  it('fails when a payment that nothing touched was not approved, and names it', () => {
    const { failures } = reach(refusedFrom(99), happened())

    expect(failures).toEqual([`${account} charge c99: no fault touched it, but pays heard not_processed`])
  })

  it('forgives that while the machine had no time', () => {
    expect(reach(refusedFrom(99), happened({ starved: [deed('starved', 1980, 2010)] }))).toMatchObject({
      starved: 0.02,
      failures: [],
    })
  })

  it('fails when more than 2 % of the calls got no answer, those aside who hung up', () => {
    const silent = hundred((nth) => (nth < 6 ? { told: undefined, role: nth < 3 ? 'pays' : 'hangs up' } : {}))

    expect(reach(silent, happened({ deeds: [deed('stop_queue', 0, 9999)] })).failures).toEqual([
      '3.1 % of the calls got no answer',
      'no payment was left untouched, so nothing shows that they pass',
    ])
  })

  it('fails when a kind of fault touched fewer than 1 % of the payments', () => {
    const { failures } = reach(hundred(), happened({ kinds: ['kill_queue'] }))

    expect(failures).toEqual(['kill_queue touched only 0.0 % of the payments'])
  })

  it('fails with what the oracle has found', () => {
    const books = hundred()
    const twice = { ...(books.payconex[0] as Charge), transaction_id: 'again' }

    const { counts, failures } = reach({ ...books, payconex: [...books.payconex, twice] }, happened())

    expect(counts).toEqual({ charged_twice: 1, false_answers: 0, unresolved: 0, partly_charged: 0 })
    expect(failures).toEqual([`${account} charge c0: charged twice: SALE id0 of 5.00, SALE again of 5.00`])
  })

  it('expects a decline where one was asked for', () => {
    const { failures } = reach(
      hundred((nth) => (nth === 0 ? { role: 'is declined' } : {})),
      happened(),
    )

    expect(failures).toEqual([`${account} charge c0: no fault touched it, but is declined heard approved`])
  })
})
