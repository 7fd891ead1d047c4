import { type Entry, elapsedMs, type Ledger, type PaymentRecord } from '@pay/ledger'
import { type Credentials, type StatusOutcome, type Transaction, toTransaction } from '@pay/mapper'
import { openCredentials, openPayment, type SealedPayments, type SealKeys } from '@pay/payment-queue'
import { type Clock, type Log, NO_SPAN, reasonOf, type Span, type Times } from '@pay/service'
import type { Books } from './books.ts'
import type { Owners } from './owners.ts'
import { entryOf, lastSent, type Settle, type Unclear } from './settle.ts'
import type { SteadyClock } from './steady-clock.ts'

/** Payments whose worker is gone. Whether they were sent is not known, so first of all it is asked what became of them. */
export type AdoptDeps = {
  ledger: Ledger
  sealed: SealedPayments
  books: Books
  settle: Settle
  sealKeys: SealKeys
  times: Times
  owners: Owners
  mapping: Parameters<typeof toTransaction>[2]
  clock: Clock
  steady: SteadyClock
  /** Called when credentials cannot be opened here: another worker may have the key, and should have its turn. */
  onLocked: () => void
  log: Log
}

export type AdoptPayment = ReturnType<typeof createAdoptPayment>

export function createAdoptPayment(deps: AdoptDeps) {
  const { ledger, sealed, books, settle, sealKeys, times, owners, clock, steady, log } = deps

  /** A payment in `sending` whose owner is silent: asked about until ANSWER_BY, and where it was never there, sent once more as
   * long as what was sealed for it lives. One that only another worker can ask about is left to it while there is somebody to
   * answer. */
  const takeOver = (record: PaymentRecord, span: Span = NO_SPAN): Promise<void> =>
    owners.lend(async (owner) => {
      const unclear = await claim(record, owner, span)
      if (!unclear) return
      if (isForAnother(unclear)) return books.release(unclear.record, owner)
      const { key: payment, attempt } = record
      const fields = { event: 'payment.taken_over', payment, attempt, trace_id: span.traceId } as const
      log.warn(fields, 'taken over from a silent worker')
      const entry = await settle.ask({ ...unclear, transaction: await transactionOf(unclear.record) })
      await (entry ? books.finish(unclear.record, owner, entry, span) : books.release(unclear.record, owner))
    })

  const isForAnother = ({ credentials, record }: Unclear) =>
    credentials === undefined && lastSent(record).id !== undefined && elapsedMs(record) < times.answerByMs

  /** An unconfirmed payment is asked about once more; after the last time, or without an id to ask by, a person must look. */
  const askAgain = (record: PaymentRecord, span: Span = NO_SPAN): Promise<void> =>
    owners.lend(async (owner) => {
      const unclear = await claim(record, owner, span)
      if (!unclear) return
      const { outcome, unanswered } = await lookUp(unclear)
      await books.finish(unclear.record, owner, entryOf(outcome) ?? unanswered, span)
    })

  /** What PayConex says, and what is written down if it is no answer. Of "there is no such transaction" also when it was asked, where
   * that is so long after the last send that the ledger may conclude from it that it never came. That is the time that the ledger
   * told last: one reckoned from it could be later than when the question left. */
  async function lookUp(unclear: Unclear) {
    const lookedAt = unclear.record.now
    const isLongSinceSent = hasPassedSinceSent(times.absenceMs, unclear.record)
    const outcome = await settle.askOnce(unclear)
    const isAbsent = outcome.kind === 'not_found' && isLongSinceSent
    const remark = isAbsent && { remark: 'absent' as const, lookedAt }
    return { outcome, unanswered: { ...scheduled(unclear), ...remark, said: saidIn(outcome, unclear) } }
  }

  /** For people who look at it. */
  function saidIn({ kind }: StatusOutcome, { record, credentials }: Unclear): Entry['said'] & string {
    if (kind === 'not_found') return 'not_found'
    return credentials && lastSent(record).id !== undefined ? 'unanswered' : 'unaskable'
  }

  function scheduled({ record }: Unclear): Entry {
    const { state, asked } = record
    const dueMs = times.unconfirmedScheduleMs[asked + 1]
    const isLast = dueMs === undefined || lastSent(record).id === undefined
    return isLast ? { state: 'review' } : { state, dueMs, asked: asked + 1 }
  }

  /** By the ledger's clock, and by this worker's own: the ledger's can be set. */
  function hasPassedSinceSent(ms: number, { now, sent }: PaymentRecord): boolean {
    return sent !== undefined && now - sent >= ms && steady.hasPassed(ms, sent)
  }

  async function claim(record: PaymentRecord, owner: string, span?: Span): Promise<Unclear | undefined> {
    const first = await ask(record, owner)
    // A command that was not answered may be carried out after the one that was refused. The payment would be ours without our
    // knowing, and nobody else's as long as we live: so it is asked for again when that must have happened.
    const isUnsure = first.taken?.verdict !== 'taken' && first.tries > 1
    if (isUnsure) await clock.sleep(times.leaseMs)
    const { readAt, taken } = isUnsure ? await ask(record, owner) : first
    if (taken?.verdict !== 'taken') return undefined
    const { record: latest, sealedCredentials } = taken
    // Its worker may have sent as late as this.
    const sentBy = (latest.sent ?? latest.now) + times.sendWindowMs + times.connectTimeoutMs
    return { record: latest, owner, readAt, sentBy, credentials: opened(latest, sealedCredentials), span }
  }

  /** Insists on an answer; `tries`: how many that took. */
  async function ask(record: PaymentRecord, owner: string) {
    const isForgotten = owners.isForgotten(record.owner)
    let tries = 0
    return books.insist('take over', record.key, async () => {
      const readAt = clock.now()
      tries += 1
      return { readAt, taken: await ledger.takeOver(record, owner, { isForgotten }), tries }
    })
  }

  function opened({ key }: PaymentRecord, sealedCredentials: string): Credentials | undefined {
    try {
      return openCredentials(sealedCredentials, key, sealKeys)
    } catch (error) {
      log.error({ event: 'payment.locked', payment: key, reason: reasonOf(error) }, 'the credentials cannot be opened')
      deps.onLocked()
      return undefined
    }
  }

  /** What was to be sent; undefined where it cannot be had any more. Then nothing is sent again, only asked. */
  async function transactionOf(record: PaymentRecord): Promise<Transaction | undefined> {
    try {
      const text = await sealed.take(record)
      if (text === null) return undefined
      const payment = openPayment(text, record, sealKeys)
      return toTransaction(payment.request, payment.credentials, deps.mapping).transaction
    } catch (error) {
      log.warn(
        { event: 'payment.unopened', payment: record.key, reason: reasonOf(error) },
        'the payment cannot be opened',
      )
      return undefined
    }
  }

  return { takeOver, askAgain, claim, lookUp, scheduled }
}
