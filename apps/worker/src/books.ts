import { type Attempt, type Entry, isAttemptOver, type Ledger, type PaymentRecord } from '@pay/ledger'
import type { SealedPayments } from '@pay/payment-queue'
import { type Clock, type Log, reasonOf, type Times } from '@pay/service'
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
        log.warn({ payment: key, step, reason: reasonOf(error) }, 'the ledger did not answer')
        metrics.ledgerFailed(step)
        if (isFinal(error)) throw error
        await clock.sleep(times.ledgerRetryMs)
      }
    }
  }

  /** sending, unconfirmed or reversing -> an outcome, by its owner. */
  async function finish(record: PaymentRecord, owner: string, entry: Entry): Promise<void> {
    const { key, attempt, method } = record
    const reply = await insist('finish', key, () => ledger.finish(record, owner, entry))
    const state = reply?.verdict === 'finished' ? reply.record.state : entry.state
    const fields = { payment: key, attempt, method, state }
    if (reply?.verdict === 'finished') {
      metrics.finished(method, state)
      metrics.settled(record.state, reply.record, entry.remark)
      const ms = reply.record.now - reply.record.first
      log.info({ ...fields, ms, ...(entry.code !== undefined && { code: entry.code }) }, 'finished')
    } else {
      log.warn(fields, 'this worker no longer owns the payment')
    }
    shredWhenOver(record, reply?.record)
  }

  /** accepted -> not_sent or declined: nothing was sent. Answers the record as it then stands, also where it was not accepted. */
  async function withdraw(payment: Attempt, entry: Entry, options = { whenExpired: false }) {
    const { key, attempt } = payment
    const reply = await insist('withdraw', key, () => ledger.withdraw(payment, entry, options))
    if (reply?.verdict === 'withdrawn') {
      const { method } = reply.record
      metrics.finished(method, entry.state)
      log.info({ payment: key, attempt, method, state: entry.state }, 'withdrawn')
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
    log.info({ payment: key, attempt }, 'left to another worker')
  }

  return { insist, finish, withdraw, release, shredWhenOver, shred }
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
