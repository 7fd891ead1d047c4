import { type Entry, elapsedMs, type Ledger, type PaymentRecord } from '@pay/ledger'
import { ALREADY_REVERSED, type Credentials, type ReversalOutcome, type StatusOutcome } from '@pay/mapper'
import { type Clock, type Log, NO_SPAN, type Span, type Times } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'
import type { Metrics } from './metrics.ts'
import type { Owners } from './owners.ts'
import type { Payconex } from './payconex.ts'
import type { Unclear } from './settle.ts'

/** An approval that nobody can have heard of: LATE_APPROVAL=report keeps it, and says so in the log, in the metrics and on the
 * ledger's list of late approvals; LATE_APPROVAL=reverse undoes it, and so does a person (`wanted`, apps/operator). A reversal is sent like a payment: under an id that
 * was fetched beforehand, behind a fence, looked up when its answer is lost, never twice.
 *
 *  approved, somebody may have heard    kept as it is
 *  its credentials cannot be opened     left for another worker, and kept where none could for as long again
 *  no id for the reversal               left for the next look of the sweeper; kept where a person brought an access key that
 *                                       PayConex refuses
 *  reverse refused by the ledger        kept
 *  PayConex: done, or done already      reversed
 *  PayConex: no                         review: a person must look
 *  anything else                        asked about on the schedule of unconfirmed payments; provably not done: approved again, and
 *                                       tried again, three times in all, then review
 */
export type ReverseDeps = {
  ledger: Ledger
  books: Books
  payconex: Payconex
  adopt: AdoptPayment
  times: Times
  owners: Owners
  /** LATE_APPROVAL=reverse. */
  reversesLate: boolean
  clock: Clock
  metrics: Metrics
  log: Log
}

export type ReversePayment = ReturnType<typeof createReversePayment>

export function createReversePayment(deps: ReverseDeps) {
  const { ledger, books, payconex, adopt, times, owners, clock, log } = deps

  /** An approved payment that was left open: nobody heard of it, and nobody will. */
  const reverse = (record: PaymentRecord, span: Span = NO_SPAN): Promise<void> =>
    owners.lend(async (owner) => {
      const isToBeReversed = !record.heard && (deps.reversesLate || record.wanted)
      if (!isToBeReversed) return keep(record)
      const claimed = await adopt.claim(record, owner, span)
      if (!claimed) return
      if (!claimed.credentials) return leave(claimed.record)
      const reversal = await reserve(record, claimed.credentials, span)
      const fenced = reversal && (await fence(claimed, reversal))
      if (fenced) await send(fenced, claimed.credentials)
    })

  /** Another worker may be able to open its credentials. Where none is, it must not stay open for ever. */
  const leave = async (record: PaymentRecord): Promise<void> => {
    if (elapsedMs(record) >= 2 * times.listeningMs) await keep(record)
  }

  /** A reversal whose worker fell silent, or whose answer was lost: asked about once more. */
  const askAgain = (record: PaymentRecord, span: Span = NO_SPAN): Promise<void> =>
    owners.lend(async (owner) => {
      const unclear = await adopt.claim(record, owner, span)
      if (!unclear) return
      const { outcome, unanswered } = await adopt.lookUp(unclear)
      await books.finish(unclear.record, owner, entryOf(outcome) ?? unanswered, span)
    })

  /** Undefined: the sweeper comes again, unless a person has to. */
  async function reserve(record: PaymentRecord, credentials: Credentials, span: Span): Promise<string | undefined> {
    const { key, attempt, wanted } = record
    const reservation = await payconex.reserve(credentials, span)
    if (reservation.kind === 'reserved') return reservation.transactionId
    log.warn(
      { event: 'payconex.no_id', payment: key, attempt, step: 'reverse', verdict: reservation.kind },
      'PayConex gave no id for a reversal',
    )
    // It would refuse the same key for ever. Who brought it can say it again with another one.
    if (reservation.kind === 'declined' && wanted) await keep(record)
    return undefined
  }

  async function fence({ record, owner, ...rest }: Unclear, reversal: string): Promise<Unclear | undefined> {
    const askedAt = clock.now()
    const reply = await books.insist('reverse', record.key, () => ledger.reverse(record, { owner, reversal }))
    if (reply?.verdict === 'reversing') {
      books.told(record.state, reply.record, {}, rest.span ?? NO_SPAN)
      return { ...rest, record: reply.record, owner, readAt: askedAt }
    }
    // Somebody may have heard of it, or its clock went back: nobody knows whether it may still be undone.
    if (reply?.verdict === 'refused' && reply.record.state === 'approved') await keep(record)
    return undefined
  }

  async function send(fenced: Unclear, credentials: Credentials): Promise<void> {
    const { record, owner, readAt, span } = fenced
    const { id: chargeId = '', reversal: reservedId = '', custom_id: customId } = record
    // Too long since the fence was asked for: it may not be ours any more. The next look asks what became of it.
    const isFresh = clock.now() - readAt <= times.sendWindowMs
    const outcome = isFresh ? await payconex.reverse(credentials, { chargeId, reservedId, customId }, span) : LATE
    const fields = { event: 'payment.reversal_asked', payment: record.key, verdict: outcome.kind } as const
    log.info(fields, 'asked PayConex to reverse')
    const known = outcome.kind === 'unsent' ? undefined : entryOf(outcome)
    await books.finish(record, owner, known ?? adopt.scheduled(fenced), span)
  }

  async function keep({ key, attempt }: PaymentRecord): Promise<void> {
    const reply = await books.insist('keep', key, () => ledger.keep(key))
    if (reply?.verdict !== 'kept' || reply.record.heard) return
    deps.metrics.late()
    log.warn(
      { event: 'payment.late_approval', payment: key, attempt, state: 'approved' },
      'approved, and nobody can have heard of it',
    )
  }

  return { reverse, askAgain }
}

const LATE = { kind: 'unsent', reason: 'too late', retry: true } as const

/** What is written down for an answer about a reversal; undefined when it is no answer. Somebody else may have undone it. */
function entryOf(outcome: ReversalOutcome | StatusOutcome): Entry | undefined {
  switch (outcome.kind) {
    case 'reversed':
    case 'approved':
      return { state: 'reversed', ...(outcome.transactionId !== undefined && { id: outcome.transactionId }) }
    case 'declined':
      return { state: outcome.code === ALREADY_REVERSED ? 'reversed' : 'review' }
    case 'contradiction':
      return { state: 'review', remark: 'contradiction' }
    case 'not_found':
    case 'unanswered':
      return undefined
  }
}
