import { type Attempt, type Entry, isAttemptOver, type Ledger, type PaymentRecord, type State } from '@pay/ledger'
import type { SealedPayments } from '@pay/payment-queue'
import { type Clock, type Log, NO_SPAN, reasonOf, type Span, type Times } from '@pay/service'
import type { Metrics } from './metrics.ts'

export type BooksDeps = {
  ledger: Ledger
  sealed: SealedPayments
  times: Times
  clock: Clock
  metrics: Metrics
  log: Log
}

export type Books = ReturnType<typeof createBooks>

/** An outcome, and of one that is a failure the kind of it: docs/logs.md lists them. */
export type Ending = Entry & { class?: string }

/** Writing outcomes down (step 12): in the ledger, which wakes the gateways; then the sealed payment is erased. */
export function createBooks({ ledger, sealed, times, clock, metrics, log }: BooksDeps) {
  /** A step that must be taken is asked for again until the ledger answers, however long that takes: who gives up here knows
   * an outcome that nobody else can know. Every script may be repeated, so asking twice changes nothing twice. Only what the
   * ledger has answered for good, with a no of its own, is thrown on. */
  async function insist<T>(step: string, key: string, ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        log.warn({ event: 'ledger.silent', payment: key, step, reason: reasonOf(error) }, 'the ledger did not answer')
        metrics.ledgerFailed(step)
        if (isFinal(error)) throw error
        await clock.sleep(times.ledgerRetryMs)
      }
    }
  }

  /** sending, unconfirmed or reversing -> an outcome, by its owner. */
  async function finish(record: PaymentRecord, owner: string, entry: Ending, span: Span = NO_SPAN): Promise<void> {
    const { key, attempt, method } = record
    const ask = () => insist('finish', key, () => ledger.finish(record, owner, entry))
    const reply = await span.within({ name: 'finish' }, ask, (said) => ({ state: said?.record.state }))
    const state = reply?.verdict === 'finished' ? reply.record.state : entry.state
    if (reply?.verdict === 'finished') {
      metrics.finished(method, state)
      metrics.settled(record.state, reply.record, entry.remark)
      told(record.state, reply.record, entry, span)
    } else if (entry.state === 'approved' && reply && isSaidNotToBeCharged(record, reply.record)) {
      metrics.contradicted()
      log.error(
        { event: 'payment.contradicted', payment: key, attempt, method, state: reply.record.state },
        'PayConex approved what was meanwhile said not to have been charged',
      )
    } else {
      log.warn(
        { event: 'payment.lost', payment: key, attempt, method, state },
        'this worker no longer owns the payment',
      )
    }
    shredWhenOver(record, reply?.record)
  }

  /** One line for each transition, when the ledger has acknowledged it. */
  function told(
    from: State,
    { key, attempt, method, state, now, first }: PaymentRecord,
    entry: Partial<Ending>,
    span: Span,
  ): void {
    const { code, class: kind = classOf(entry, state) } = entry
    const fields = { payment: key, attempt, method, from, state, ms: now - first, trace_id: span.traceId }
    const failure = { ...(kind !== undefined && { class: kind }), ...(code !== undefined && { code }) }
    span.note({ state, code, error: state === 'unconfirmed' || state === 'review' ? kind : undefined })
    if (from === state) log.info({ event: 'payment.still_open', ...fields, ...failure }, `still ${state}`)
    else log.info({ event: `payment.${state}`, ...fields, ...failure }, state)
  }

  /** accepted -> not_sent or declined: nothing was sent. Answers the record as it then stands, also where it was not accepted. */
  async function withdraw(payment: Attempt, entry: Ending, options = { whenExpired: false }, span: Span = NO_SPAN) {
    const ask = () => insist('withdraw', payment.key, () => ledger.withdraw(payment, entry, options))
    const reply = await span.within({ name: 'withdraw' }, ask, (said) => ({ state: said?.record.state }))
    if (reply?.verdict === 'withdrawn') {
      metrics.finished(reply.record.method, entry.state)
      told('accepted', reply.record, entry, span)
    }
    shredWhenOver(payment, reply?.record)
    return reply?.record
  }

  /** Of an attempt that is over nothing sealed is left, whoever ended it. */
  function shredWhenOver(attempt: Attempt, latest: PaymentRecord | undefined): void {
    if (!latest || isAttemptOver(attempt, latest)) shred(attempt)
  }

  /** Nobody waits for this. When the queue is away the sealed payment's time to live erases it. */
  function shred(attempt: Attempt): void {
    void sealed.shred(attempt).catch(metrics.notShredded)
  }

  /** sending or reversing -> nobody's, by a worker that is asked to end. When it cannot be said, the end of this worker's lease says it. */
  async function release({ key, attempt }: PaymentRecord, owner: string): Promise<void> {
    await ledger.release(key, owner).catch(() => undefined)
    log.info({ event: 'payment.left', payment: key, attempt }, 'left to another worker')
  }

  return { insist, finish, withdraw, told, release, shredWhenOver, shred }
}

/** By a person, or by another worker. A later attempt begins only where that was said of the one before. */
const isSaidNotToBeCharged = ({ attempt }: Attempt, latest: PaymentRecord): boolean =>
  latest.attempt > attempt || latest.state === 'declined' || latest.state === 'not_sent'

/** What kind of failure it is where nobody has said so. */
function classOf({ remark }: Partial<Entry>, state: State): string | undefined {
  if (state === 'declined') return 'declined'
  if (state === 'unconfirmed' || state === 'reversing') return 'unanswered'
  if (state === 'not_sent') return remark === 'absent' ? 'absent' : 'unsent'
  if (state === 'review') return remark === 'contradiction' ? 'contradiction' : 'unresolved'
  return undefined
}

/** A record that this version cannot read, or a step that a script's own assertion forbids, stays so however often it is
 * asked for. A server that may not write just now (its memory or its disk is full, a replica is missing) says so from within
 * the script, too, and will write later. */
function isFinal(error: unknown): boolean {
  const { retry, name, message } = error as { retry?: unknown; name?: unknown; message?: unknown }
  const text = String(message)
  return retry === false || (name === 'ReplyError' && text.includes('user_script') && !FOR_NOW.test(text))
}

const FOR_NOW = /\b(OOM|MISCONF|NOREPLICAS|READONLY|MASTERDOWN|LOADING|BUSY)\b/
