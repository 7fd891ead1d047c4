import type { Survey } from '@pay/ledger'
import { Gauge, type Registry } from 'prom-client'

export type ShowLedger = ReturnType<typeof showLedger>

/** What one worker counts on the ledger for all: of each shard the one that sweeps it. Where another has taken over, or the ledger
 * does not answer, nothing is shown any more: a number that stays behind would be taken for the truth. */
export function showLedger(registry: Registry) {
  const registers = [registry]
  const payments = new Gauge({
    name: 'pay_ledger_payments',
    help: 'Payments that are not over, by state, those in review and late approvals; unseen: open, and too many to be told apart',
    labelNames: ['shard', 'state'],
    registers,
  })
  const overdue = new Gauge({
    name: 'pay_ledger_overdue_payments',
    help: 'Open payments that are due to be looked at and that no sweeper has looked at in time',
    labelNames: ['shard'],
    registers,
  })
  const oldest = new Gauge({
    name: 'pay_ledger_oldest_unconfirmed_seconds',
    help: 'Time since the first try of the payment that is unconfirmed and began first; 0: there is none',
    labelNames: ['shard'],
    registers,
  })
  const keyAge = new Gauge({
    name: 'pay_ledger_seal_key_age_seconds',
    help: 'Time since this ledger first heard of a key of SEAL_KEYS, by its id',
    labelNames: ['shard', 'key'],
    registers,
  })
  const shown = new Map<string, Survey>()

  function show(): void {
    for (const gauge of [payments, overdue, oldest, keyAge]) gauge.reset()
    for (const [shard, survey] of shown) {
      const { open, unseen, review, late } = survey
      const counted = { ...NONE, ...open, unseen, review, late }
      for (const [state, many] of Object.entries(counted)) payments.set({ shard, state }, many)
      overdue.set({ shard }, survey.overdue)
      oldest.set({ shard }, survey.oldestUnconfirmedMs / 1000)
      for (const [key, ms] of survey.keyAgesMs) keyAge.set({ shard, key }, ms / 1000)
    }
  }

  /** The latest of a shard; undefined: not ours to say, or not known. */
  return (shard: string, survey: Survey | undefined): void => {
    if (survey) shown.set(shard, survey)
    else shown.delete(shard)
    show()
  }
}

const NONE = { accepted: 0, sending: 0, unconfirmed: 0, approved: 0, reversing: 0 }
