import { setTimeout as sleep } from 'node:timers/promises'
import type { Attempt, Entry, Ledger, PaymentRecord } from '@pay/ledger'
import { type Credentials, type Transaction, toTransaction } from '@pay/mapper'
import { openCredentials, openPayment, type Payment, type SealedPayments, type SealKeys } from '@pay/payment-queue'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { Metrics } from './metrics.ts'
import type { Payconex } from './payconex.ts'
import type { Settle } from './settle.ts'

/** A job, from the queue to the books: steps 7 to 12.
 *
 *  7 open, map   sealed payment gone, altered or unreadable: accepted -> not_sent
 *  8 reserve     PayConex refuses the account: accepted -> declined · it does not answer by SEND_BY: accepted -> not_sent
 *  9 fence       refused: the payment is withdrawn, somebody else's or too late; nothing is sent
 * 10 send, 11 settle
 * 12 finish      in the ledger, which wakes the gateways; then the sealed payment is erased
 *
 * Jobs are wake-ups and may come twice: the ledger says what is left to do. A payment in `sending` whose owner is silent is
 * taken over, which allows nothing but to ask.
 */
export type ProcessDeps = {
  ledger: Ledger
  sealed: SealedPayments
  payconex: Payconex
  settle: Settle
  sealKeys: SealKeys
  times: Times
  reserve: 'required' | 'preferred' | 'off'
  mapping: Parameters<typeof toTransaction>[2]
  newOwner: () => string
  now: () => number
  metrics: Metrics
  log: Log
}

export type PaymentProcess = ReturnType<typeof createPaymentProcess>

type Reserved = { kind: 'go'; id?: string } | { kind: 'stop'; entry: Entry }

const NOT_SENT: Entry = { state: 'not_sent' }

export function createPaymentProcess(deps: ProcessDeps) {
  const { ledger, sealed, payconex, settle, sealKeys, times, now, metrics, log } = deps

  /** Never rejects for a reason of the payment; rejects only when the ledger cannot be read at all, and then the gateway or
   * the sweeper settles the payment. */
  async function processJob(attempt: Attempt): Promise<void> {
    const readAt = now()
    const record = await ledger.read(attempt.key)
    if (record?.state === 'sending' && record.attempt === attempt.attempt) return takeOver(record)
    if (record?.state !== 'accepted' || record.attempt !== attempt.attempt) return sealed.shred(attempt)
    const payment = await openSealed(record)
    if (!payment) return withdraw(record, NOT_SENT)
    const { transaction, dropped } = toTransaction(payment.request, payment.credentials, deps.mapping)
    metrics.dropped(dropped)
    const reserved = await reserve(payment.credentials, record, readAt)
    if (reserved.kind === 'stop') return withdraw(record, reserved.entry)
    await sendFenced(record, { transaction, credentials: payment.credentials, reserved: reserved.id })
  }

  /** Step 7. Undefined where it cannot be opened, now or ever. */
  async function openSealed(record: PaymentRecord): Promise<Payment | undefined> {
    const attempt = attemptOf(record)
    try {
      const text = await sealed.take(attempt)
      if (text !== null) return openPayment(text, attempt, sealKeys)
      log.warn({ payment: record.key, attempt: record.attempt, step: 'open' }, 'the sealed payment is gone')
    } catch (error) {
      log.error(
        { payment: record.key, attempt: record.attempt, step: 'open', reason: reasonOf(error) },
        'cannot be opened',
      )
    }
    return undefined
  }

  /** Step 8. Moves no money, so whatever goes wrong is tried again within SEND_BY. */
  async function reserve(credentials: Credentials, record: PaymentRecord, readAt: number): Promise<Reserved> {
    if (deps.reserve === 'off') return { kind: 'go' }
    for (let pause = 0; ; pause += 1) {
      const reservation = await payconex.reserve(credentials)
      if (reservation.kind === 'reserved') return { kind: 'go', id: reservation.transactionId }
      if (deps.reserve === 'preferred') return { kind: 'go' }
      if (reservation.kind === 'declined') {
        return { kind: 'stop', entry: { state: 'declined', code: reservation.code, message: reservation.message } }
      }
      log.warn({ payment: record.key, step: 'reserve', reason: reservation.reason }, 'PayConex gave no id')
      if (record.now - record.first + now() - readAt >= times.sendByMs) return { kind: 'stop', entry: NOT_SENT }
      await sleep(times.connectRetryMs[Math.min(pause, times.connectRetryMs.length - 1)])
    }
  }

  /** Steps 9 to 12. */
  async function sendFenced(record: PaymentRecord, prepared: Prepared): Promise<void> {
    const owner = deps.newOwner()
    const askedAt = now()
    const fenced = await fence(record, owner, prepared.reserved)
    if (!fenced) return sealed.shred(attemptOf(record))
    const { transaction, credentials } = prepared
    const entry = await settle.send({ record: fenced, owner, transaction, credentials, askedAt })
    await finish(fenced, owner, entry)
  }

  /** Step 9. Undefined: nothing may be sent. A ledger that does not answer may have fenced it all the same: then this worker
   * says at the end that nothing was sent, or the sweeper asks. */
  async function fence(record: PaymentRecord, owner: string, reserved?: string): Promise<PaymentRecord | undefined> {
    const reply = await insist('fence', record, () => ledger.fence(attemptOf(record), { owner, reserved }))
    if (reply?.verdict === 'fenced') return reply.record
    // Fenced by a command whose answer was lost, and meanwhile it is too late: nothing was sent, and only we can say so.
    if (reply?.record.state === 'sending' && reply.record.owner === owner) await finish(record, owner, NOT_SENT)
    log.info(
      { payment: record.key, attempt: record.attempt, state: reply?.record.state ?? 'none' },
      'refused at the fence',
    )
    return undefined
  }

  /** Step 12. */
  async function finish(record: PaymentRecord, owner: string, entry: Entry): Promise<void> {
    const reply = await insist('finish', record, () => ledger.finish(attemptOf(record), owner, entry))
    const { key, attempt } = record
    if (reply?.verdict === 'finished') metrics.finished(record.method, entry.state)
    const ms = reply && reply.record.now - reply.record.first
    const fields = { payment: key, attempt, method: record.method, state: entry.state, ...(ms !== undefined && { ms }) }
    if (reply?.verdict === 'finished') log.info({ ...fields, ...(entry.code && { code: entry.code }) }, 'finished')
    else log.warn(fields, 'this worker no longer owns the payment')
    await shred(record)
  }

  /** accepted -> not_sent or declined: nothing was sent. */
  async function withdraw(record: PaymentRecord, entry: Entry, options = { whenExpired: false }): Promise<void> {
    const reply = await insist('withdraw', record, () => ledger.withdraw(attemptOf(record), entry, options))
    if (reply?.verdict !== 'withdrawn') return
    metrics.finished(record.method, entry.state)
    log.info({ payment: record.key, attempt: record.attempt, state: entry.state }, 'withdrawn')
    await shred(record)
  }

  /** Erases the sealed payment. When the queue is away its time to live does it. */
  async function shred(record: PaymentRecord): Promise<void> {
    await sealed.shred(attemptOf(record)).catch(() => undefined)
  }

  /** Of a payment in `sending` only what became of it can be asked, and only once its owner is silent. */
  async function takeOver(record: PaymentRecord): Promise<void> {
    const taken = await claim(record)
    if (!taken) return
    log.warn({ payment: record.key, attempt: record.attempt }, 'taken over from a silent worker')
    await finish(taken.record, taken.owner, await settle.ask(taken))
  }

  /** An unconfirmed payment is looked up once more. After the last time, or where it never can be, a person must look. */
  async function askAgain(record: PaymentRecord): Promise<void> {
    const taken = await claim(record)
    if (!taken) return
    const dueMs = times.unconfirmedScheduleMs[record.asked]
    const isLast = dueMs === undefined || record.reserved === undefined || taken.credentials === undefined
    const otherwise: Entry = isLast ? { state: 'review' } : { state: 'unconfirmed', dueMs }
    await finish(taken.record, taken.owner, (await settle.askOnce(taken)) ?? otherwise)
  }

  async function claim(record: PaymentRecord) {
    const owner = deps.newOwner()
    const readAt = now()
    const taken = await ledger.takeOver(record, owner)
    if (taken?.verdict !== 'taken') return undefined
    // Which of SALE and AUTHORIZATION it was makes no difference to a look-up.
    const type: Transaction['type'] = record.method === 'tokenize' ? 'STORE' : 'SALE'
    return { record: taken.record, owner, readAt, credentials: openSealedCredentials(taken), type }
  }

  function openSealedCredentials({ record, sealedCredentials }: Taken): Credentials | undefined {
    try {
      return openCredentials(sealedCredentials, record.key, sealKeys)
    } catch (error) {
      log.error({ payment: record.key, step: 'look up', reason: reasonOf(error) }, 'the credentials cannot be opened')
      return undefined
    }
  }

  /** A step on the books that must be taken: asked again until the ledger answers, for as long as anybody may still take
   * the payment for sent. Scripts are idempotent, so asking twice changes nothing twice. */
  async function insist<T>(step: string, record: PaymentRecord, ask: () => Promise<T>): Promise<T> {
    const giveUpAt = now() + times.absenceMarginMs
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        log.warn({ payment: record.key, step, reason: reasonOf(error) }, 'the ledger did not answer')
        if (now() >= giveUpAt) throw error
        await sleep(times.ledgerRetryMs)
      }
    }
  }

  return { processJob, takeOver, askAgain, withdraw }
}

type Taken = { record: PaymentRecord; sealedCredentials: string }

type Prepared = { transaction: Transaction; credentials: Credentials; reserved?: string | undefined }

const attemptOf = ({ key, attempt }: PaymentRecord): Attempt => ({ key, attempt })
