import type { Attempt, Ledger, PaymentRecord } from '@pay/ledger'
import { type Credentials, type Transaction, toTransaction } from '@pay/mapper'
import { CannotOpen, openPayment, type Payment, type SealedPayments, type SealKeys } from '@pay/payment-queue'
import { type Clock, type Log, NO_SPAN, reasonOf, type Span, type Times } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books, Ending } from './books.ts'
import type { IdsAhead } from './ids-ahead.ts'
import type { Metrics } from './metrics.ts'
import type { Owners } from './owners.ts'
import { pauseMs } from './pause.ts'
import type { Settle } from './settle.ts'

/** A job, from the queue to the books: steps 7 to 12.
 *
 *  7 open, map   sealed payment gone, altered or unreadable: accepted -> not_sent
 *  8 reserve     PayConex refuses the account: accepted -> declined · it does not answer by SEND_BY, or is known to be away:
 *                accepted -> not_sent
 *  9 fence       the id is another payment's: 8 again · nobody waits for it any more: accepted -> not_sent · refused: the payment is
 *                withdrawn, somebody else's or too late; nothing is sent
 * 10 send, 11 settle
 * 12 finish
 *
 * Jobs are wake-ups and may come twice, and nobody reads the ledger before the fence: what that refuses, and what cannot be
 * withdrawn, says with its record what is left to do. A payment in `sending` whose owner is silent is taken over; of one that is over
 * what was sealed is erased.
 */
export type ProcessDeps = {
  ledger: Ledger
  sealed: SealedPayments
  ids: Pick<IdsAhead, 'take' | 'distrust'>
  settle: Settle
  books: Books
  adopt: AdoptPayment
  sealKeys: SealKeys
  times: Times
  reserve: 'required' | 'preferred' | 'off'
  mapping: Parameters<typeof toTransaction>[2]
  owners: Owners
  clock: Clock
  metrics: Metrics
  log: Log
}

export type ProcessPayment = (attempt: Attempt, span?: Span) => Promise<void>

/** What a job names, the time by `now` at which it was taken, and where the work on it is told of. */
type Read = { record: Attempt; readAt: number; span: Span }

type Reserved = { kind: 'go'; id?: string } | { kind: 'stop'; entry: Ending }

type Stopped = { verdict: string; record: PaymentRecord }

type Prepared = { transaction: Transaction; credentials: Credentials }

const notSent = (why: string): Ending => ({ state: 'not_sent', class: why })

export function createProcessPayment(deps: ProcessDeps): ProcessPayment {
  const { ledger, sealed, ids, settle, books, adopt, sealKeys, times, metrics, log } = deps
  const { now, sleep } = deps.clock

  return async function processPayment(attempt, span = NO_SPAN) {
    const read = { record: attempt, readAt: now(), span }
    const payment = await span.within({ name: 'open' }, () => openSealed(read))
    if (!payment) return withdraw(read, notSent('unopened'))
    const { transaction, dropped } = toTransaction(payment.request, payment.credentials, deps.mapping)
    metrics.dropped(dropped)
    return reserveAndSend(read, { transaction, credentials: payment.credentials })
  }

  /** Steps 8 to 12. An id that another payment was sent under is no id: the next one is fetched. */
  async function reserveAndSend(read: Read, prepared: Prepared): Promise<void> {
    for (let tries = 0; !isTooLate(read); tries += 1) {
      const begunAt = now()
      const reserved = await read.span.within({ name: 'reserve' }, (span) => reserve(prepared.credentials, read, span))
      metrics.phase('reserve', now() - begunAt)
      if (reserved.kind === 'stop') return withdraw(read, reserved.entry)
      if ((await sendFenced(read, prepared, reserved.id)) !== 'used') return
      const fields = { event: 'payconex.id_used', payment: read.record.key, step: 'reserve' } as const
      log.error(fields, 'PayConex gave an id that another payment has')
      ids.distrust(prepared.credentials, 'an id was given twice')
      await sleep(pauseMs(times.connectRetryMs, tries))
    }
    return withdraw(read, notSent('too_late'))
  }

  /** accepted -> not_sent or declined. That this is refused can mean that the job came before, to somebody who is gone. */
  async function withdraw(read: Read, entry: Ending): Promise<void> {
    await takeOverIfSent(read, await books.withdraw(read.record, entry, undefined, read.span))
  }

  async function takeOverIfSent({ record, span }: Read, latest: PaymentRecord | undefined): Promise<void> {
    if (latest?.state === 'sending' && latest.attempt === record.attempt) await adopt.takeOver(latest, span)
  }

  /** When its attempt began is the ledger's to know, and the fence's to compare. No job is held longer than this. */
  function isTooLate({ readAt }: Read): boolean {
    return now() - readAt >= times.sendByMs
  }

  /** Step 7. Undefined where it cannot be opened, now or ever. A queue that does not answer is asked again within SEND_BY. */
  async function openSealed(read: Read): Promise<Payment | undefined> {
    const { key, attempt } = read.record
    for (let tries = 0; !isTooLate(read); tries += 1) {
      try {
        const text = await sealed.take(read.record)
        if (text !== null) return openPayment(text, read.record, sealKeys)
        log.warn({ event: 'payment.unopened', payment: key, attempt, reason: 'gone' }, 'the sealed payment is gone')
        return undefined
      } catch (error) {
        log.warn(
          { event: 'payment.unopened', payment: key, attempt, reason: reasonOf(error) },
          'the payment cannot be opened',
        )
        if (error instanceof CannotOpen) return undefined
        await sleep(pauseMs(times.connectRetryMs, tries))
      }
    }
    return undefined
  }

  /** Step 8. Moves no money, so whatever goes wrong is tried again within SEND_BY. */
  async function reserve(credentials: Credentials, read: Read, span: Span): Promise<Reserved> {
    for (let tries = 0; deps.reserve !== 'off'; tries += 1) {
      const reservation = await ids.take(credentials, span)
      if (reservation.kind === 'reserved') return { kind: 'go', id: reservation.transactionId }
      if (reservation.kind === 'unsent' && !reservation.retry) return unreachable(read, reservation.reason)
      if (deps.reserve === 'preferred') return { kind: 'go' }
      if (reservation.kind === 'declined') return { kind: 'stop', entry: declined(reservation) }
      const { key, attempt } = read.record
      log.warn({ event: 'payconex.no_id', payment: key, attempt, reason: reservation.reason }, 'PayConex gave no id')
      if (isTooLate(read)) return { kind: 'stop', entry: notSent('no_id') }
      await sleep(pauseMs(times.connectRetryMs, tries))
    }
    return { kind: 'go' }
  }

  /** Another try would end the same way: a certificate that is refused, say. A person must look. */
  function unreachable({ record }: Read, reason: string): Reserved {
    log.error(
      { event: 'payconex.unreachable', payment: record.key, step: 'reserve', reason },
      'PayConex cannot be reached',
    )
    return { kind: 'stop', entry: notSent('unreachable') }
  }

  /** Steps 9 to 12. */
  function sendFenced(read: Read, { transaction, credentials }: Prepared, reserved: string | undefined) {
    const { span } = read
    return deps.owners.lend(async (owner) => {
      const askedAt = now()
      const fenced = await fence(read, owner, reserved)
      if (fenced === undefined || fenced === 'used') return fenced
      const fencedAt = now()
      metrics.phase('queue', fenced.now - fenced.first - (fencedAt - read.readAt))
      const sent = settle.send({ record: fenced, owner, transaction, credentials, askedAt, span })
      const entry = await sent.catch((error) => unexpected(fenced, error))
      metrics.phase('send', now() - fencedAt)
      await (entry ? books.finish(fenced, owner, entry, span) : books.release(fenced, owner))
      return undefined
    })
  }

  /** Step 9. Undefined: nothing may be sent. `used`: not under this id. */
  async function fence(read: Read, owner: string, reserved: string | undefined) {
    const { record: job, span } = read
    const { key, attempt } = job
    const askedAt = now()
    const ask = () => books.insist('fence', key, () => ledger.fence(job, { owner, reserved }))
    const reply = await span.within({ name: 'fence' }, ask, (said) => ({ verdict: said?.verdict }))
    metrics.fenced(reply?.verdict ?? 'none', now() - askedAt)
    if (reply?.verdict === 'fenced') {
      books.told('accepted', reply.record, {}, span)
      return reply.record
    }
    if (reply?.verdict === 'used') return reply.verdict
    const state = reply?.record.state ?? 'none'
    log.info(
      { event: 'payment.not_fenced', payment: key, attempt, state, trace_id: span.traceId },
      'refused at the fence',
    )
    await (reply ? stop(read, owner, reply) : books.shred(job))
    return undefined
  }

  async function stop(read: Read, owner: string, { verdict, record }: Stopped): Promise<void> {
    // Whoever hung up does not come back, and whoever does begins anew.
    if (verdict === 'abandoned') return withdraw(read, notSent('abandoned'))
    // Fenced by a command whose answer was lost, and meanwhile it is too late: nothing was sent, and only we can say so.
    if (record.state === 'sending' && record.owner === owner)
      return books.finish(record, owner, notSent('too_late'), read.span)
    books.shredWhenOver(read.record, record)
    await takeOverIfSent(read, record)
  }

  /** An error of our own after the fence: it may have been sent, and the payment must not stay ours and unfinished. */
  function unexpected({ key, attempt }: Attempt, error: unknown): Ending {
    log.error({ event: 'payment.failed', payment: key, attempt, reason: reasonOf(error) }, 'an error of our own')
    return { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 }
  }
}

const declined = ({ code, message }: { code: string; message: string }): Ending => ({
  state: 'declined',
  code,
  message,
})
