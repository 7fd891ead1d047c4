import type { State } from '@pay/ledger'

/** Every event that the log can hold, and its level. docs/logs.md says what each of them means and what to do: whoever adds one adds it
 * there, too. The first word says what it is about. */
export const EVENTS = {
  'payment.accepted': 'info',
  'payment.sending': 'info',
  'payment.approved': 'info',
  'payment.declined': 'info',
  'payment.not_sent': 'info',
  'payment.unconfirmed': 'info',
  'payment.reversing': 'info',
  'payment.reversed': 'info',
  'payment.review': 'info',

  'payment.looked_up': 'info',
  'payment.repeat_asked': 'info',
  'payment.reversal_asked': 'info',
  'payment.still_open': 'info',
  'payment.taken_over': 'warn',
  'payment.left': 'info',
  'payment.lost': 'warn',
  'payment.contradicted': 'error',
  'payment.not_fenced': 'info',
  'payment.unopened': 'warn',
  'payment.locked': 'error',
  'payment.late_approval': 'warn',
  'payment.failed': 'error',

  'try.joined': 'info',
  'try.replayed': 'info',
  'try.reused': 'info',
  'try.invalid': 'info',
  'try.turned_away': 'warn',
  'try.failed': 'error',

  'payconex.no_id': 'warn',
  'payconex.unreachable': 'error',
  'payconex.not_connected': 'warn',
  'payconex.no_answer': 'warn',
  'payconex.id_used': 'error',
  'payconex.ids_distrusted': 'warn',
  'payconex.away': 'warn',
  'payconex.back': 'warn',

  'ledger.silent': 'warn',
  'queue.silent': 'warn',
  'queue.error': 'warn',
  'sweep.failed': 'warn',
  'lease.not_renewed': 'warn',

  'process.ready': 'info',
  'process.draining': 'info',
  'process.drained': 'info',

  'setting.dangerous': 'warn',
  'setting.tolerated': 'warn',
  'redis.refuses': 'warn',
  'redis.open': 'warn',
  'redis.all_or_nothing': 'warn',
  'keys.renewed': 'info',
  'keys.not_renewed': 'error',
  'certificate.renewed': 'info',
  'certificate.not_renewed': 'error',
  'traces.not_exported': 'warn',
  'traces.exported': 'info',
} as const satisfies Record<Transition, 'info'> & Record<string, Level>

export type LogEvent = keyof typeof EVENTS

/** Those that the log tells at this level. */
export type EventAt<At extends Level> = {
  [Name in LogEvent]: (typeof EVENTS)[Name] extends At ? Name : never
}[LogEvent]

type Level = 'debug' | 'info' | 'warn' | 'error'

/** A payment has come to a state. */
type Transition = `payment.${State}`
