import type { PaymentRecord } from '@pay/ledger'
import { type AccountReport, createAccountReport } from './account-report.ts'
import { startOf } from './day.ts'
import type { Finding } from './finding.ts'
import { createMatch, type Day, type MatchOptions, type Result } from './match.ts'
import type { Row } from './report-row.ts'

/** Support for this folder's tests: payments and rows that agree, until a test makes them disagree. */

export const ACCOUNT = '120615000000'
export const ZONE = 'America/Chicago'
export const TODAY = '2026-11-28'
export const NOON = '2026-11-28 12:00:00'
export const day: Day = { name: TODAY, from: startOf(TODAY, ZONE), until: startOf('2026-11-29', ZONE) }

/** Noon there. */
export const NOON_MS = day.from + 12 * 60 * 60 * 1000

export const record = (changes: Partial<PaymentRecord> = {}): PaymentRecord => ({
  key: `p_${changes.custom_id ?? 'tx-1'}`,
  state: 'approved',
  attempt: 1,
  fingerprint: 'one',
  now: NOON_MS,
  first: NOON_MS,
  asked: 0,
  method: 'charge',
  account: ACCOUNT,
  custom_id: 'tx-1',
  amount: '10.00',
  id: '000000000001',
  reserved: '000000000001',
  reversals: 0,
  ...changes,
})

export const row = (changes: Partial<Row> = {}): Row => ({
  kind: 'charge',
  id: '000000000001',
  customId: 'tx-1',
  cents: 1000,
  at: NOON,
  isApproved: true,
  isWhole: false,
  ...changes,
})

export const undo = (changes: Partial<Row> = {}): Row =>
  row({ kind: 'undo', id: '000000000009', originalId: '000000000001', ...changes })

export function reportOf(rows: readonly Row[]): AccountReport {
  const report = createAccountReport()
  for (const one of rows) report.add(one)
  report.close()
  return report
}

/** The match of one account, or of what the options say. */
export function matched(
  records: readonly PaymentRecord[],
  rows: readonly Row[],
  options: Partial<MatchOptions> = {},
): Result {
  const match = createMatch({ day, reports: new Map([[ACCOUNT, reportOf(rows)]]), ...options })
  for (const one of records) match.see(one)
  return match.conclude()
}

export const kindsOf = ({ findings }: { findings: readonly Finding[] }) => findings.map(({ kind }) => kind)
