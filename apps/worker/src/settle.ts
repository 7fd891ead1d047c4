import { type Entry, elapsedMs, type Ledger, type PaymentRecord } from '@pay/ledger'
import type { Credentials, Outcome, Transaction } from '@pay/mapper'
import { type Log, reasonOf, type Times } from '@pay/service'
import { pause } from './pause.ts'
import type { Payconex } from './payconex.ts'

/** Obtains an outcome without ever charging twice (steps 10 and 11). All decisions about sending stand here:
 *
 *  answered, yes or no                      approved · declined
 *  yes, but under another id or amount      review: a person must look
 *  never connected                          again within SEND_BY, then not_sent
 *  anything else                            ask what became of it until ANSWER_BY, then unconfirmed
 *  asked to end while asking                nothing: whoever finds this worker gone takes the payment over and asks on
 */
export type SettleDeps = {
  payconex: Payconex
  ledger: Ledger
  times: Times
  /** Aborted when this process is asked to end. */
  draining: AbortSignal
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

/** A payment that may have been sent, and whose answer is not known. */
export type Unclear = {
  record: PaymentRecord
  /** When the record was read, by `now`. */
  readAt: number
  /** By when, in the ledger's clock, its last send had begun. */
  sentBy: number
  type: Transaction['type']
  /** Absent where they cannot be opened. */
  credentials: Credentials | undefined
}

export type Settle = ReturnType<typeof createSettle>

export function createSettle({ payconex, ledger, times, draining, now, log }: SettleDeps) {
  /** Sends a fenced payment, and asks about it when the answer is lost. */
  async function send(fenced: Fenced): Promise<Entry | undefined> {
    const { transaction, credentials } = fenced
    let { record, askedAt } = fenced
    for (let tries = 0; ; tries += 1) {
      if (now() - askedAt > times.sendWindowMs) {
        askedAt = now()
        const renewed = await renew(fenced)
        if (!renewed) return { state: 'not_sent' }
        record = renewed
      }
      const sentBy = record.now + now() - askedAt
      const submitted = await payconex.submit(transaction, record.reserved)
      const unclear = { record, readAt: askedAt, sentBy, type: transaction.type, credentials }
      if (submitted.kind !== 'unsent') return entryOf(submitted) ?? ask(unclear)
      log.warn({ ...nameOf(record), reason: submitted.reason }, 'never connected to PayConex')
      await pause(times.connectRetryMs, tries)
    }
  }

  /** A send that was delayed asks the fence again, which refuses once SEND_BY has passed or the payment has another owner.
   * A ledger that does not answer is no leave to send. */
  async function renew({ record, owner }: Fenced): Promise<PaymentRecord | undefined> {
    try {
      const reply = await ledger.fence(record, { owner, reserved: record.reserved })
      return reply?.verdict === 'fenced' ? reply.record : undefined
    } catch (error) {
      log.warn({ ...nameOf(record), step: 'fence', reason: reasonOf(error) }, 'the ledger did not answer')
      return undefined
    }
  }

  /** Asks TSAPI what became of it, until it knows or ANSWER_BY has passed. */
  async function ask(unclear: Unclear): Promise<Entry | undefined> {
    const { record, readAt } = unclear
    for (let tries = 0; isAskable(unclear); tries += 1) {
      await pause(times.lookUpAfterMs, tries, draining)
      if (draining.aborted) return undefined
      const entry = await askOnce(unclear)
      if (entry) return entry
      if (elapsedMs(record) + now() - readAt >= times.answerByMs) break
    }
    return { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 }
  }

  /** One look-up; undefined when it gave no answer. */
  async function askOnce({ record, readAt, sentBy, type, credentials }: Unclear): Promise<Entry | undefined> {
    const { reserved: reservedId } = record
    if (reservedId === undefined || credentials === undefined) return undefined
    // Before that PayConex may still be at work on it; what it says of an error then is not its last word.
    const pastTimeout = record.now + now() - readAt - sentBy >= times.payconexTimeoutMs
    const outcome = await payconex.lookUp(credentials, { type, reservedId, pastTimeout })
    log.info({ ...nameOf(record), step: 'look up', verdict: outcome.kind }, 'asked PayConex')
    return entryOf(outcome)
  }

  return { send, ask, askOnce }
}

/** Without a reserved id there is nothing to ask by, without credentials nobody who may ask. */
const isAskable = ({ record, credentials }: Unclear) => record.reserved !== undefined && credentials !== undefined

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

const nameOf = ({ key, attempt }: PaymentRecord) => ({ payment: key, attempt })
