import type { Attempt, Entry, Ledger, PaymentRecord } from '@pay/ledger'
import { type Credentials, type Transaction, toTransaction } from '@pay/mapper'
import { CannotOpen, openPayment, type Payment, type SealedPayments, type SealKeys } from '@pay/payment-queue'
import { type Clock, type Log, reasonOf, type Times } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'
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

export type ProcessPayment = (attempt: Attempt) => Promise<void>

/** What a job names, and the time by `now` at which it was taken. */
type Read = { record: Attempt; readAt: number }

type Reserved = { kind: 'go'; id?: string } | { kind: 'stop'; entry: Entry }

type Stopped = { verdict: string; record: PaymentRecord }

type Prepared = { transaction: Transaction; credentials: Credentials }

const NOT_SENT: Entry = { state: 'not_sent' }

export function createProcessPayment(deps: ProcessDeps): ProcessPayment {
  const { ledger, sealed, ids, settle, books, adopt, sealKeys, times, metrics, log } = deps
  const { now, sleep } = deps.clock

  return async function processPayment(attempt) {
    const read = { record: attempt, readAt: now() }
    const payment = await openSealed(read)
    if (!payment) return withdraw(attempt, NOT_SENT)
    const { transaction, dropped } = toTransaction(payment.request, payment.credentials, deps.mapping)
    metrics.dropped(dropped)
    return reserveAndSend(read, { transaction, credentials: payment.credentials })
  }

  /** Steps 8 to 12. An id that another payment was sent under is no id: the next one is fetched. */
  async function reserveAndSend(read: Read, prepared: Prepared): Promise<void> {
    for (let tries = 0; !isTooLate(read); tries += 1) {
      const begunAt = now()
      const reserved = await reserve(prepared.credentials, read)
      metrics.phase('reserve', now() - begunAt)
      if (reserved.kind === 'stop') return withdraw(read.record, reserved.entry)
      if ((await sendFenced(read, prepared, reserved.id)) !== 'used') return
      log.error({ payment: read.record.key, step: 'reserve' }, 'PayConex gave an id that another payment has')
      ids.distrust(prepared.credentials, 'an id was given twice')
      await sleep(pauseMs(times.connectRetryMs, tries))
    }
    return withdraw(read.record, NOT_SENT)
  }

  /** accepted -> not_sent or declined. That this is refused can mean that the job came before, to somebody who is gone. */
  async function withdraw(attempt: Attempt, entry: Entry): Promise<void> {
    await takeOverIfSent(attempt, await books.withdraw(attempt, entry))
  }

  async function takeOverIfSent({ attempt }: Attempt, latest: PaymentRecord | undefined): Promise<void> {
    if (latest?.state === 'sending' && latest.attempt === attempt) await adopt.takeOver(latest)
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
        log.warn({ payment: key, attempt, step: 'open' }, 'the sealed payment is gone')
        return undefined
      } catch (error) {
        log.warn({ payment: key, attempt, step: 'open', reason: reasonOf(error) }, 'the payment cannot be opened')
        if (error instanceof CannotOpen) return undefined
        await sleep(pauseMs(times.connectRetryMs, tries))
      }
    }
    return undefined
  }

  /** Step 8. Moves no money, so whatever goes wrong is tried again within SEND_BY. */
  async function reserve(credentials: Credentials, read: Read): Promise<Reserved> {
    for (let tries = 0; deps.reserve !== 'off'; tries += 1) {
      const reservation = await ids.take(credentials)
      if (reservation.kind === 'reserved') return { kind: 'go', id: reservation.transactionId }
      if (reservation.kind === 'unsent' && !reservation.retry) return unreachable(read, reservation.reason)
      if (deps.reserve === 'preferred') return { kind: 'go' }
      if (reservation.kind === 'declined') return { kind: 'stop', entry: declined(reservation) }
      log.warn({ payment: read.record.key, step: 'reserve', reason: reservation.reason }, 'PayConex gave no id')
      if (isTooLate(read)) return { kind: 'stop', entry: NOT_SENT }
      await sleep(pauseMs(times.connectRetryMs, tries))
    }
    return { kind: 'go' }
  }

  /** Another try would end the same way: a certificate that is refused, say. A person must look. */
  function unreachable({ record }: Read, reason: string): Reserved {
    log.error({ payment: record.key, step: 'reserve', reason }, 'PayConex cannot be reached')
    return { kind: 'stop', entry: NOT_SENT }
  }

  /** Steps 9 to 12. */
  function sendFenced(read: Read, { transaction, credentials }: Prepared, reserved: string | undefined) {
    return deps.owners.lend(async (owner) => {
      const askedAt = now()
      const fenced = await fence(read, owner, reserved)
      if (fenced === undefined || fenced === 'used') return fenced
      const fencedAt = now()
      metrics.phase('queue', fenced.now - fenced.first - (fencedAt - read.readAt))
      const entry = await settle.send({ record: fenced, owner, transaction, credentials, askedAt }).catch(unexpected)
      metrics.phase('send', now() - fencedAt)
      await (entry ? books.finish(fenced, owner, entry) : books.release(fenced, owner))
      return undefined
    })
  }

  /** Step 9. Undefined: nothing may be sent. `used`: not under this id. */
  async function fence({ record: job }: Read, owner: string, reserved: string | undefined) {
    const { key, attempt } = job
    const askedAt = now()
    const reply = await books.insist('fence', key, () => ledger.fence(job, { owner, reserved }))
    metrics.fenced(reply?.verdict ?? 'none', now() - askedAt)
    if (reply?.verdict === 'fenced') return reply.record
    if (reply?.verdict === 'used') return reply.verdict
    log.info({ payment: key, attempt, state: reply?.record.state ?? 'none' }, 'refused at the fence')
    await (reply ? stop(job, owner, reply) : books.shred(job))
    return undefined
  }

  async function stop(job: Attempt, owner: string, { verdict, record }: Stopped): Promise<void> {
    // Whoever hung up does not come back, and whoever does begins anew.
    if (verdict === 'abandoned') return withdraw(job, NOT_SENT)
    // Fenced by a command whose answer was lost, and meanwhile it is too late: nothing was sent, and only we can say so.
    if (record.state === 'sending' && record.owner === owner) return books.finish(record, owner, NOT_SENT)
    books.shredWhenOver(job, record)
    await takeOverIfSent(job, record)
  }

  /** An error of our own after the fence: it may have been sent, and the payment must not stay ours and unfinished. */
  function unexpected(error: unknown): Entry {
    log.error({ step: 'settle', reason: reasonOf(error) }, 'an error of our own')
    return { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 }
  }
}

const declined = ({ code, message }: { code: string; message: string }): Entry => ({ state: 'declined', code, message })
