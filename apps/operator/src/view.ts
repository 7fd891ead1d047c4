import type { Look, PaymentRecord } from '@pay/ledger'
import { shown } from '@pay/service'
import { duration } from './moment.ts'
import type { Story } from './tell.ts'

/** A payment for programs. Times are ms of the ledger's clock, as in the record. */
export function toJson({ record, ...look }: Look, story?: Story) {
  const { key, fingerprint: _, now, custom_id, message, ...rest } = record
  return {
    payment: key,
    transaction_id: shown(custom_id),
    ...rest,
    ...(message !== undefined && { message: shown(message) }),
    now,
    ...look,
    ...(story && { means: story.means, twilio_hears: story.hears ?? null, next: story.next.what, can: story.can }),
  }
}

/** A payment in a few words. */
export const nameOf = ({ method, amount, custom_id, account }: PaymentRecord): string =>
  `${method}${amount ? ` of ${amount}` : ''}, transaction_id ${shown(custom_id)}, account ${account}`

const HEADINGS = ['state', 'age', 'amount', 'method', 'account', 'transaction_id', 'PayConex id', 'next', 'payment']

/** One row for a table. */
export function toRow({ record, dueAt }: Look): string[] {
  const { state, now, first, amount = '', method, account, custom_id, id = '', reserved = '', key } = record
  const next = dueAt === undefined ? '' : dueAt <= now ? 'now' : `in ${duration(dueAt - now)}`
  const payconexId = id || (reserved && `(${reserved})`)
  return [state, duration(Math.max(0, now - first)), amount, method, account, shown(custom_id), payconexId, next, key]
}

/** Rows under headings, each column as wide as it must be. */
export function table(rows: readonly (readonly string[])[], headings: readonly string[] = HEADINGS): string[] {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
