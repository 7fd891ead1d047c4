import { shown } from '@pay/service'
import type { Charge } from './account-report.ts'
import { type Finding, KINDS, MEANINGS } from './finding.ts'
import type { Reconciled } from './reconcile.ts'

/** Of each kind so many are shown to a person. */
const MOST = 50

/** The result for a person. */
export function showResult(result: Reconciled): string {
  return [...summaryOf(result), ...KINDS.flatMap((kind) => sectionOf(kind, result)), '', verdictOf(result), ''].join(
    '\n',
  )
}

function summaryOf({ day, zone, isOver, accounts, here, there, tokensNotShown, passedOver }: Reconciled): string[] {
  const states = Object.entries(here).map(([state, count]) => `${count} ${state}`)
  const payments = Object.values(here).reduce((sum, count) => sum + count, 0)
  return [
    `${day} (${zone}), ${plural(accounts.length, 'account')}${isOver ? '' : ', not over yet'}`,
    `  in the ledger  ${plural(payments, 'payment')}${states.length > 0 ? `: ${states.join(', ')}` : ''}`,
    `  at PayConex    ${there.approved} approved${there.undone > 0 ? `, of which ${there.undone} given back` : ''}`,
    `  agreed         ${there.matched}`,
    ...[
      there.unnamed > 0 && `  left out       ${plural(there.unnamed, 'charge')} without a custom_id`,
      passedOver > 0 && `  left out       ${plural(passedOver, 'payment')} of other accounts`,
      tokensNotShown > 0 &&
        `  not compared   ${plural(tokensNotShown, 'stored card')}: PayConex' report shows none, perhaps it never does`,
    ].filter((line) => typeof line === 'string'),
  ]
}

function sectionOf(kind: Finding['kind'], { findings, zone }: Reconciled): string[] {
  const found = findings.filter((finding) => finding.kind === kind)
  if (found.length === 0) return []
  const more = found.length > MOST ? [`  and ${found.length - MOST} more: --json has all`] : []
  const lines = found.slice(0, MOST).flatMap((finding) => linesOf(finding, zone))
  return ['', `${kind}: ${found.length} ${MEANINGS[kind].is}`, ...lines, ...more, `  -> ${MEANINGS[kind].todo}`]
}

function linesOf(finding: Finding, zone: string): string[] {
  if (finding.kind === 'not_checked')
    return [`  account ${shown(finding.account)}: ${plural(finding.payments, 'payment')}`]
  if (finding.kind === 'orphan') {
    const [charge] = finding.there
    const name = charge.customId === undefined ? 'no custom_id' : `custom_id ${shown(charge.customId)}`
    return [`  account ${finding.account}, ${name}`, `    PayConex  ${chargeOf(charge)}`]
  }
  const { account, here, there } = finding
  const { method, custom_id, state, amount, id, reserved, first } = here
  const under = id ?? (reserved && `${reserved} (reserved)`)
  const ledger = [state, method, amount, under, timeIn(first, zone)].filter(Boolean).join('  ')
  const payconex = there.length === 0 ? ['nothing'] : there.map((charge) => chargeOf(charge, custom_id))
  return [
    `  account ${account}, transaction_id ${shown(custom_id)}`,
    `    ledger    ${ledger}`,
    ...payconex.map((line) => `    PayConex  ${line}`),
  ]
}

function chargeOf({ id, method, cents, at, isApproved, customId }: Charge, expected = customId): string {
  const name = customId === undefined || customId === expected ? '' : `custom_id ${shown(customId)}`
  return [isApproved ? 'approved' : 'declined', method, method === 'charge' && dollars(cents), id, at, name]
    .filter(Boolean)
    .join('  ')
}

function verdictOf({ findings, failed }: Reconciled): string {
  const not = failed.map(({ account, reason }) => `account ${account} could not be compared: ${reason}`)
  const all =
    findings.length === 0
      ? failed.length === 0
        ? 'all agrees'
        : 'the rest agrees'
      : `${plural(findings.length, 'finding')}`
  return [...not, all].join('\n')
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

const dollars = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

/** As PayConex writes it, so that both can be compared. */
const timeIn = (ms: number, zone: string) =>
  new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: zone }).format(ms)

/** The result for a program. Amounts are decimal texts, `at` of the ledger is in UTC, of PayConex
 * as it writes it. */
export function toJson({ findings, ...result }: Reconciled) {
  return { ...result, findings: findings.map(findingToJson) }
}

function findingToJson(finding: Finding) {
  const { kind, account } = finding
  if (finding.kind === 'not_checked') return { kind, account: shown(account), payments: finding.payments }
  const there = finding.there.map(chargeToJson)
  if (finding.kind === 'orphan') return { kind, account, here: null, there }
  const { key, state, method, custom_id, amount, id, reserved, first } = finding.here
  const at = new Date(first).toISOString()
  const here = {
    payment: key,
    state,
    amount: amount ?? null,
    payconex_id: id ?? null,
    reserved_id: reserved ?? null,
    at,
  }
  return { kind, account, method, transaction_id: shown(custom_id), here, there }
}

const chargeToJson = ({ id, method, customId, cents, at, isApproved }: Charge) => ({
  payconex_id: id,
  method,
  custom_id: customId === undefined ? null : shown(customId),
  amount: method === 'charge' ? dollars(cents) : null,
  at,
  approved: isApproved,
})
