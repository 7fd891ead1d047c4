import { setTimeout as sleep } from 'node:timers/promises'
import type { Attempt, Entry, Ledger, PaymentRecord } from '@pay/ledger'
import type { Credentials, Outcome, Transaction } from '@pay/mapper'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { Payconex } from './payconex.ts'

/** Obtains an outcome without ever charging twice (steps 10 and 11). All decisions about sending stand here:
 *
 *  answered, yes or no                      approved · declined
 *  yes, but under another id or amount      review: a person must look
 *  never connected                          again within SEND_BY, then not_sent
 *  anything else                            ask what became of it until ANSWER_BY, then unconfirmed
 */
export type SettleDeps = {
  payconex: Payconex
  ledger: Ledger
  times: Times
  /** Milliseconds of a clock that only grows. */
  now: () => number
  log: Log
}

export type Fenced = {
  record: PaymentRecord
  owner: string
  transaction: Transaction
  credentials: Credentials
  /** When the fence was asked for, by `now`. */
  askedAt: number
}

export type Unclear = {
  record: PaymentRecord
  /** When the record was read, by `now`. */
  readAt: number
  type: Transaction['type']
  /** Absent where they can no longer be opened. */
  credentials: Credentials | undefined
}

export type Settle = ReturnType<typeof createSettle>

export function createSettle({ payconex, ledger, times, now, log }: SettleDeps) {
  /** Sends a fenced payment, and asks about it when the answer is lost. */
  async function send(fenced: Fenced): Promise<Entry> {
    let { record, askedAt } = fenced
    for (let tries = 0; ; tries += 1) {
      if (now() - askedAt > times.sendWindowMs) {
        askedAt = now()
        const renewed = await renew(fenced)
        if (!renewed) return { state: 'not_sent' }
        record = renewed
      }
      const submitted = await payconex.submit(fenced.transaction, record.reserved)
      if (submitted.kind !== 'unsent')
        return entryOf(submitted) ?? ask({ ...fenced, record, readAt: askedAt, type: fenced.transaction.type })
      log.warn(
        { payment: record.key, attempt: record.attempt, reason: submitted.reason },
        'never connected to PayConex',
      )
      await sleep(pauseAt(times.connectRetryMs, tries))
    }
  }

  /** A send that was delayed asks the fence again, which refuses once SEND_BY has passed or the payment has another owner.
   * A ledger that does not answer is no leave to send. */
  async function renew({ record, owner }: Fenced): Promise<PaymentRecord | undefined> {
    try {
      const reply = await ledger.fence(attemptOf(record), { owner, reserved: record.reserved })
      return reply?.verdict === 'fenced' ? reply.record : undefined
    } catch (error) {
      log.warn({ payment: record.key, step: 'fence', reason: reasonOf(error) }, 'the ledger did not answer')
      return undefined
    }
  }

  /** Asks TSAPI what became of a payment that may have been sent, until it knows or ANSWER_BY has passed. */
  async function ask(unclear: Unclear): Promise<Entry> {
    const { record, readAt, type, credentials } = unclear
    const { reserved: reservedId } = record
    // Without a reserved id there is nothing to ask by.
    if (reservedId === undefined || credentials === undefined) return unconfirmed()
    for (let tries = 0; ; tries += 1) {
      await sleep(pauseAt(times.lookUpAfterMs, tries))
      const ledgerNow = record.now + now() - readAt
      const outcome = await payconex.lookUp(credentials, {
        type,
        reservedId,
        pastTimeout: isPastTimeout(record, ledgerNow),
      })
      const entry = entryOf(outcome)
      log.info(
        { payment: record.key, attempt: record.attempt, step: 'look up', verdict: outcome.kind },
        'asked PayConex',
      )
      if (entry) return entry
      if (ledgerNow - record.first >= times.answerByMs) return unconfirmed()
    }
  }

  /** One look-up, for a payment that nobody waits for any more. */
  async function askOnce({ record, type, credentials }: Unclear): Promise<Entry | undefined> {
    const { reserved: reservedId } = record
    if (reservedId === undefined || credentials === undefined) return undefined
    const pastTimeout = isPastTimeout(record, record.now)
    return entryOf(await payconex.lookUp(credentials, { type, reservedId, pastTimeout }))
  }

  /** PayConex may still be at work on it before this; what it says of an error then is not its last word. */
  const isPastTimeout = ({ sent }: PaymentRecord, ledgerNow: number) =>
    sent !== undefined && ledgerNow - sent >= times.payconexTimeoutMs

  const unconfirmed = (): Entry => ({ state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 })

  return { send, ask, askOnce }
}

/** What is written down for an answer; undefined when it is no answer. */
function entryOf(outcome: Outcome): Entry | undefined {
  switch (outcome.kind) {
    case 'approved':
      return { state: 'approved', id: outcome.transactionId }
    case 'declined':
      return { state: 'declined', code: outcome.code, message: outcome.message }
    case 'contradiction':
      return { state: 'review' }
    case 'unanswered':
      return undefined
  }
}

const attemptOf = ({ key, attempt }: PaymentRecord): Attempt => ({ key, attempt })

/** The n-th pause; the last one repeats. Spread by a quarter, so that workers do not come back all at once. */
const pauseAt = (pauses: readonly number[], n: number) =>
  (pauses[Math.min(n, pauses.length - 1)] ?? 0) * (0.75 + Math.random() / 2)
