import { type Attempt, type Entry, elapsedMs, type Ledger, type PaymentRecord } from '@pay/ledger'
import { type Credentials, type Transaction, toTransaction } from '@pay/mapper'
import { CannotOpen, openPayment, type Payment, type SealedPayments, type SealKeys } from '@pay/payment-queue'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'
import type { Metrics } from './metrics.ts'
import type { Owners } from './owners.ts'
import { pause } from './pause.ts'
import type { Payconex } from './payconex.ts'
import type { Settle } from './settle.ts'

/** A job, from the queue to the books: steps 7 to 12.
 *
 *  7 open, map   sealed payment gone, altered or unreadable: accepted -> not_sent
 *  8 reserve     PayConex refuses the account: accepted -> declined · it does not answer by SEND_BY: accepted -> not_sent
 *  9 fence       refused: the payment is withdrawn, somebody else's or too late; nothing is sent
 * 10 send, 11 settle
 * 12 finish
 *
 * Jobs are wake-ups and may come twice: the ledger says what is left to do. A payment in `sending` whose owner is silent is
 * taken over.
 */
export type ProcessDeps = {
  ledger: Ledger
  sealed: SealedPayments
  payconex: Payconex
  settle: Settle
  books: Books
  adopt: AdoptPayment
  sealKeys: SealKeys
  times: Times
  reserve: 'required' | 'preferred' | 'off'
  mapping: Parameters<typeof toTransaction>[2]
  owners: Owners
  now: () => number
  metrics: Metrics
  log: Log
}

export type ProcessPayment = (attempt: Attempt) => Promise<void>

/** A record, and the time by `now` at which it was read. */
type Read = { record: PaymentRecord; readAt: number }

type Reserved = { kind: 'go'; id?: string } | { kind: 'stop'; entry: Entry }

type Prepared = { transaction: Transaction; credentials: Credentials; reserved: string | undefined }

const NOT_SENT: Entry = { state: 'not_sent' }

export function createProcessPayment(deps: ProcessDeps): ProcessPayment {
  const { ledger, sealed, payconex, settle, books, sealKeys, times, now, metrics, log } = deps

  return async function processPayment(attempt) {
    const { record, readAt } = await read(attempt)
    if (record?.state === 'sending' && record.attempt === attempt.attempt) return deps.adopt.takeOver(record)
    if (record?.state !== 'accepted' || record.attempt !== attempt.attempt) return books.shred(attempt)
    const payment = await openSealed({ record, readAt })
    if (!payment) return books.withdraw(record, NOT_SENT)
    const { transaction, dropped } = toTransaction(payment.request, payment.credentials, deps.mapping)
    metrics.dropped(dropped)
    const reserved = await reserve(payment.credentials, { record, readAt })
    if (reserved.kind === 'stop') return books.withdraw(record, reserved.entry)
    return sendFenced(record, { transaction, credentials: payment.credentials, reserved: reserved.id })
  }

  async function read({ key }: Attempt) {
    return books.insist('read', key, async () => {
      const readAt = now()
      return { record: await ledger.read(key), readAt }
    })
  }

  function isTooLate({ record, readAt }: Read): boolean {
    return elapsedMs(record) + now() - readAt >= times.sendByMs
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
        await pause(times.connectRetryMs, tries)
      }
    }
    return undefined
  }

  /** Step 8. Moves no money, so whatever goes wrong is tried again within SEND_BY. */
  async function reserve(credentials: Credentials, read: Read): Promise<Reserved> {
    for (let tries = 0; deps.reserve !== 'off'; tries += 1) {
      const reservation = await payconex.reserve(credentials)
      if (reservation.kind === 'reserved') return { kind: 'go', id: reservation.transactionId }
      if (deps.reserve === 'preferred') return { kind: 'go' }
      if (reservation.kind === 'declined') return { kind: 'stop', entry: declined(reservation) }
      log.warn({ payment: read.record.key, step: 'reserve', reason: reservation.reason }, 'PayConex gave no id')
      if (isTooLate(read)) return { kind: 'stop', entry: NOT_SENT }
      await pause(times.connectRetryMs, tries)
    }
    return { kind: 'go' }
  }

  /** Steps 9 to 12. */
  function sendFenced(record: PaymentRecord, { transaction, credentials, reserved }: Prepared): Promise<void> {
    return deps.owners.lend(async (owner) => {
      const askedAt = now()
      const fenced = await fence(record, owner, reserved)
      if (!fenced) return
      const entry = await settle.send({ record: fenced, owner, transaction, credentials, askedAt }).catch(unexpected)
      await (entry ? books.finish(fenced, owner, entry) : books.release(fenced, owner))
    })
  }

  /** Step 9. Undefined: nothing may be sent. */
  async function fence(record: PaymentRecord, owner: string, reserved?: string): Promise<PaymentRecord | undefined> {
    const { key, attempt } = record
    const reply = await books.insist('fence', key, () => ledger.fence(record, { owner, reserved }))
    if (reply?.verdict === 'fenced') return reply.record
    log.info({ payment: key, attempt, state: reply?.record.state ?? 'none' }, 'refused at the fence')
    // Fenced by a command whose answer was lost, and meanwhile it is too late: nothing was sent, and only we can say so.
    const isOurs = reply?.record.state === 'sending' && reply.record.owner === owner
    await (isOurs ? books.finish(record, owner, NOT_SENT) : books.shredWhenOver(record, reply?.record))
    return undefined
  }

  /** An error of our own after the fence: it may have been sent, and the payment must not stay ours and unfinished. */
  function unexpected(error: unknown): Entry {
    log.error({ step: 'settle', reason: reasonOf(error) }, 'an error of our own')
    return { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 }
  }
}

const declined = ({ code, message }: { code: string; message: string }): Entry => ({ state: 'declined', code, message })
