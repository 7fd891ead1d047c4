import type { PaymentRecord, State } from '@pay/ledger'
import type { AccountReport, Charge } from './account-report.ts'
import { type Finding, KINDS, type Kind } from './finding.ts'
import { toCents } from './report-row.ts'

/** The day that is compared, and its first moment and the next day's, in ms of the ledger's clock. */
export type Day = { name: string; from: number; until: number }

export type MatchOptions = {
  day: Day
  /** By account, complete: what is not in them PayConex does not show. */
  reports: ReadonlyMap<string, AccountReport>
  /** Accounts whose payments nobody asks about. */
  isPassedOver?: (account: string) => boolean
  /** Charges that carry no custom_id were not made by this connector. */
  ignoresUnnamed?: boolean
}

export type Result = {
  findings: readonly Finding[]
  /** Payments of the day in the ledger, by state, of the accounts that were compared. */
  here: Readonly<Partial<Record<State, number>>>
  /** Of the day at PayConex: what was approved, what of it agrees with the ledger, what was given back, and what carries no custom_id
   * and was left out. */
  there: { approved: number; matched: number; undone: number; unnamed: number }
  /** Stored cards that a report does not show which shows no stored card at all: perhaps it never does. */
  tokensNotShown: number
  /** Payments of the day of accounts that were passed over. */
  passedOver: number
}

/** Compares the ledger with PayConex' reports, one payment after the other, so that only the reports are in memory.
 *
 * A payment belongs to the day of its first try, a charge to the day that PayConex writes on it, and what disagrees to each day that
 * either is on: near midnight it is rather named twice than never. */
export function createMatch(options: MatchOptions) {
  const { day, reports, isPassedOver = () => false, ignoresUnnamed = false } = options
  const known = new Set<Charge>()
  const seen = new Set<string>()
  const here: Partial<Record<State, number>> = {}
  const unchecked = new Map<string, number>()
  const suspects: PaymentRecord[] = []
  let matched = 0
  let tokensNotShown = 0
  let passedOver = 0

  const isToday = ({ at }: Charge) => at.slice(0, day.name.length) === day.name
  const isOfToday = ({ first }: PaymentRecord) => day.from <= first && first < day.until

  function judged(record: PaymentRecord): Finding[] {
    const report = reports.get(record.account)
    if (!report) return []
    const charges = chargesOf(record, report)
    const found = judge(record, charges, (charge) => report.isUndone(charge) || isReversed(charge, record, report))
    const touchesToday = (finding: Finding) =>
      isOfToday(record) || ('there' in finding && finding.there.some((charge) => charge.isApproved && isToday(charge)))
    return found.filter(touchesToday)
  }

  function see(record: PaymentRecord): void {
    const report = reports.get(record.account)
    const charges = report ? chargesOf(record, report) : []
    for (const charge of charges) known.add(charge)
    const todays = charges.filter((charge) => charge.isApproved && isToday(charge))
    if ((!isOfToday(record) && todays.length === 0) || seen.has(record.key)) return
    seen.add(record.key)
    if (report) look(record, { report, todays })
    else notChecked(record)
  }

  function look(record: PaymentRecord, { report, todays }: { report: AccountReport; todays: readonly Charge[] }) {
    if (isOfToday(record)) here[record.state] = (here[record.state] ?? 0) + 1
    const found = judged(record)
    if (found.length === 0) matched += todays.length
    else if (isTokenNotShown(found, report)) tokensNotShown += 1
    else suspects.push(record)
  }

  function notChecked({ account }: PaymentRecord): void {
    if (isPassedOver(account)) passedOver += 1
    else unchecked.set(account, (unchecked.get(account) ?? 0) + 1)
  }

  return {
    /** One payment of the ledger, in any order; seen twice it counts once. */
    see,

    /** Accounts of which something is charged that should not be: it may have been given back since. */
    doubtful(): string[] {
      const found = conclude().findings.filter((finding) => 'there' in finding && finding.there.some(isApproved))
      return [...new Set(found.map(({ account }) => account))]
    },

    conclude,
  }

  /** After the last payment. */
  function conclude(): Result {
    const orphans: Finding[] = []
    const there = { approved: 0, matched, undone: 0, unnamed: 0 }
    for (const [account, report] of reports) {
      for (const charge of report.charges()) {
        if (!charge.isApproved || !isToday(charge) || charge.isCapture) continue
        there.approved += 1
        if (report.isUndone(charge)) there.undone += 1
        else if (known.has(charge)) continue
        else if (ignoresUnnamed && charge.customId === undefined) there.unnamed += 1
        else orphans.push({ kind: 'orphan', account, there: [charge] })
      }
    }
    const notChecked = [...unchecked].map(
      ([account, payments]) => ({ kind: 'not_checked', account, payments }) as const,
    )
    const findings = [...suspects.flatMap(judged), ...orphans, ...notChecked].sort(byKind)
    return { findings, here, there, tokensNotShown, passedOver }
  }
}

const chargesOf = (record: PaymentRecord, report: AccountReport): Charge[] =>
  report.of({ method: record.method, customId: record.custom_id, ids: idsOf(record) })

const idsOf = ({ id, reserved }: PaymentRecord) => [...new Set([id, reserved])].filter((one) => one !== undefined)

const isReversed = (charge: Charge, { id, reversal }: PaymentRecord, report: AccountReport) =>
  charge.id === id && reversal !== undefined && report.isReversedBy(charge, reversal)

const isApproved = (charge: Charge) => charge.isApproved

const isTokenNotShown = (found: readonly Finding[], report: AccountReport) =>
  found.every(
    ({ kind, ...finding }) => kind === 'missing' && 'here' in finding && finding.here.method === 'tokenize',
  ) && !report.showsTokens()

/** By kind and account, and then in the order in which they happened. */
function byKind(one: Finding, other: Finding): number {
  const kinds = KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind)
  return kinds || compare(one.account, other.account) || compare(momentOf(one), momentOf(other))
}

const compare = (one: string, other: string) => (one < other ? -1 : Number(one > other))

function momentOf(finding: Finding): string {
  if ('here' in finding) return String(finding.here.first).padStart(16, '0')
  return finding.kind === 'orphan' ? finding.there[0].at : ''
}

/** What of one payment disagrees: the ledger's record against all that PayConex shows under its name or its ids. */
export function judge(
  record: PaymentRecord,
  charges: readonly Charge[],
  isUndone: (charge: Charge) => boolean,
): Finding[] {
  const approved = charges.filter(isApproved)
  const made = approved.filter((charge) => !isUndone(charge))
  const finding = (kind: Kind, there: readonly Charge[] = made) =>
    [{ kind, account: record.account, here: record, there }] as Finding[]
  switch (record.state) {
    case 'approved':
      return judgeApproved()
    case 'declined':
    case 'not_sent':
      return made.length > 0 ? finding('denied') : []
    case 'reversed':
      return made.length > 0 ? finding('not_reversed') : []
    case 'accepted':
    case 'sending':
    case 'unconfirmed':
    case 'reversing':
    case 'review':
      return made.length > 1 ? finding('double') : finding('unresolved', charges)
  }

  function judgeApproved(): Finding[] {
    const [only, ...others] = made
    if (only === undefined) return approved.some(({ id }) => id === record.id) ? [] : finding('missing', charges)
    if (others.length > 0) return finding('double')
    if (isUnderOtherName(only, record)) return finding('id')
    return isOtherAmount(only, record) ? finding('amount') : []
  }
}

const isUnderOtherName = ({ id, customId }: Charge, record: PaymentRecord) =>
  id !== record.id || (customId !== undefined && customId !== record.custom_id)

/** A capture may be for less than was authorised. */
function isOtherAmount({ cents, isCapture }: Charge, { method, amount = '' }: PaymentRecord): boolean {
  if (method === 'tokenize') return false
  const asked = toCents(amount)
  return isCapture ? cents > (asked ?? 0) : cents !== asked
}
