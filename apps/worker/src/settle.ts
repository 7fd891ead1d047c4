import { type Attempt, type Entry, elapsedMs, type Ledger, type PaymentRecord } from '@pay/ledger'
import type { Credentials, StatusOutcome, Transaction } from '@pay/mapper'
import { type Clock, type Log, reasonOf, type Span, type Times } from '@pay/service'
import type { Metrics } from './metrics.ts'
import { pauseMs } from './pause.ts'
import type { Payconex, Submitted } from './payconex.ts'

/** Obtains an outcome without ever charging twice (steps 10 and 11). All decisions about sending stand here:
 *
 *  answered, yes or no                      approved · declined
 *  yes, but under another id or amount      review: a person must look
 *  never connected                          again within SEND_BY, then not_sent
 *  anything else                            ask what became of it until ANSWER_BY, then unconfirmed
 *  asked, and twice it was not there        once more under the same reserved id, where the ledger permits it; then ask on
 *  asked to end while asking                nothing: whoever finds this worker gone takes the payment over and asks on
 */
export type SettleDeps = {
  payconex: Payconex
  ledger: Ledger
  times: Times
  /** Aborted when this process is asked to end. */
  draining: AbortSignal
  clock: Clock
  metrics: Pick<Metrics, 'ledgerFailed'>
  log: Log
}

export type Fenced = {
  record: PaymentRecord
  owner: string
  transaction: Transaction
  credentials: Credentials
  /** When the fence was asked for, by the worker's clock. */
  askedAt: number
  span?: Span
}

/** A payment that may have been sent, and whose answer is not known. */
export type Unclear = {
  record: PaymentRecord
  owner: string
  /** When the record was read, by the worker's clock. */
  readAt: number
  /** By when, in the ledger's clock, the last send had begun that PayConex may still be at work on. */
  sentBy: number
  /** Absent where they cannot be opened. */
  credentials: Credentials | undefined
  /** What was sent, for once more; absent where it cannot be known any more. */
  transaction?: Transaction | undefined
  span?: Span | undefined
}

export type Settle = ReturnType<typeof createSettle>

/** Once is an answer of a moment; two apart are an answer. */
const NOT_FOUND_OFTEN_ENOUGH = 2

export function createSettle({ payconex, ledger, times, draining, clock, metrics, log }: SettleDeps) {
  const { now, sleep } = clock

  /** Sends a fenced payment, and asks about it when the answer is lost. */
  async function send(fenced: Fenced): Promise<Entry | undefined> {
    const { transaction, credentials, owner, span } = fenced
    let { record, askedAt } = fenced
    for (let tries = 0; ; tries += 1) {
      while (now() - askedAt > times.sendWindowMs) {
        askedAt = now()
        const renewed = await renew(fenced)
        if (!renewed) return { state: 'not_sent' }
        record = renewed
      }
      const begunAt = now()
      const submitted = await payconex.submit(transaction, { reservedId: record.reserved }, span)
      const sentBy = record.now + sentAt(begunAt) - askedAt
      const unclear = { record, owner, readAt: askedAt, sentBy, credentials, transaction, span }
      if (submitted.kind !== 'unsent') return entryOf(submitted) ?? ask(unanswered(unclear, submitted))
      if (!submitted.retry) return neverConnected(record, submitted)
      const fields = { event: 'payconex.not_connected', ...nameOf(record), reason: submitted.reason } as const
      log.warn(fields, 'never connected to PayConex')
      await sleep(pauseMs(times.connectRetryMs, tries))
    }
  }

  /** Another try would end the same way. */
  function neverConnected(record: PaymentRecord, { reason }: { reason: string }): Entry {
    log.error({ event: 'payconex.unreachable', ...nameOf(record), step: 'send', reason }, 'PayConex cannot be reached')
    return { state: 'not_sent' }
  }

  function unanswered(unclear: Unclear, submitted: Submitted): Unclear {
    const reason = 'reason' in submitted ? submitted.reason : submitted.kind
    log.warn({ event: 'payconex.no_answer', ...nameOf(unclear.record), reason }, 'no answer to what was sent')
    return unclear
  }

  /** A send that was delayed asks the fence again, which refuses once SEND_BY has passed or the payment has another owner.
   * A ledger that does not answer is no leave to send. */
  async function renew({ record, owner }: Fenced): Promise<PaymentRecord | undefined> {
    const reply = await permissionOf('fence', record, () => ledger.fence(record, { owner, reserved: record.reserved }))
    return reply?.verdict === 'fenced' ? reply.record : undefined
  }

  async function permissionOf<T>(step: string, record: PaymentRecord, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask()
    } catch (error) {
      metrics.ledgerFailed(step)
      log.warn(
        { event: 'ledger.silent', ...nameOf(record), step, reason: reasonOf(error) },
        'the ledger did not answer',
      )
      return undefined
    }
  }

  /** Asks TSAPI what became of it, until it knows or ANSWER_BY has passed. */
  async function ask(unclear: Unclear): Promise<Entry | undefined> {
    const { record, readAt } = unclear
    let asked = unclear
    let notFound = 0
    let isRepeatable = unclear.transaction !== undefined
    for (let tries = 0; isAskable(unclear); tries += 1) {
      await sleep(pauseMs(times.lookUpAfterMs, tries), draining)
      if (draining.aborted) return undefined
      const outcome = await lookUp(asked)
      const entry = entryOf(outcome)
      if (entry) return entry
      if (outcome.kind === 'not_found') notFound += 1
      if (isRepeatable && notFound >= NOT_FOUND_OFTEN_ENOUGH && sinceSent(asked) >= times.repeatAfterMs) {
        isRepeatable = false
        const repeated = await repeat(asked)
        if (repeated?.entry) return repeated.entry
        if (repeated) asked = { ...asked, ...repeated.since }
      }
      if (elapsedMs(record) + now() - readAt >= times.answerByMs) break
    }
    return { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] ?? 0 }
  }

  /** Once more under the same reserved id: PayConex refuses it if it has the first after all. Its yes is a yes; a no may be about
   * the repeat and not about the payment, so a look-up has to say it, too, once PayConex cannot be at work on the send before any
   * more. Undefined where the ledger does not permit it, or has too long ago to be sure that it still does. */
  async function repeat({ record, owner, transaction, span }: Unclear) {
    if (!transaction) return undefined
    const askedAt = now()
    const reply = await permissionOf('repeat', record, () => ledger.repeat(record, owner))
    const verdict = reply?.verdict ?? 'none'
    log.info({ event: 'payment.repeat_asked', ...nameOf(record), verdict }, 'asked to send once more')
    if (reply?.verdict !== 'permitted' || now() - askedAt > times.sendWindowMs) return undefined
    const begunAt = now()
    const submitted = await payconex.submit(transaction, { reservedId: record.reserved, isRepeat: true }, span)
    const sentBy = reply.record.now + sentAt(begunAt) - askedAt
    const isYes = submitted.kind === 'approved' || submitted.kind === 'contradiction'
    const isAtWork = submitted.kind === 'unanswered'
    return { since: isAtWork ? { sentBy } : {}, entry: isYes ? entryOf(submitted) : undefined }
  }

  /** One look-up of what was sent last. */
  async function lookUp(unclear: Unclear): Promise<StatusOutcome> {
    const { record, credentials, span } = unclear
    const { type, id } = lastSent(record)
    if (id === undefined || !credentials) return { kind: 'unanswered', reason: 'nothing to ask by' }
    // Before that PayConex may still be at work on it; what it says of an error then is not its last word.
    const pastTimeout = sinceSent(unclear) >= times.payconexTimeoutMs
    const outcome = await payconex.lookUp(credentials, { type, reservedId: id, pastTimeout }, span)
    log.info({ event: 'payment.looked_up', ...nameOf(record), verdict: outcome.kind }, 'asked PayConex')
    return outcome
  }

  const ledgerNow = ({ record, readAt }: Unclear) => record.now + now() - readAt
  const sinceSent = (unclear: Unclear) => ledgerNow(unclear) - unclear.sentBy
  /** By when something left that was begun then and has ended now: a connection may take its time before it. */
  const sentAt = (begunAt: number) => Math.min(now(), begunAt + times.connectTimeoutMs)

  return { send, ask, askOnce: lookUp }
}

/** Under which id the last send of this payment is known. Which of SALE and AUTHORIZATION it was makes no difference. */
export function lastSent({ state, method, reserved, reversal }: PaymentRecord) {
  if (state === 'reversing') return { type: 'REVERSAL', id: reversal } as const
  return { type: method === 'tokenize' ? 'STORE' : 'SALE', id: reserved } as const
}

/** Without a reserved id there is nothing to ask by, without credentials nobody who may ask. */
const isAskable = ({ record, credentials }: Unclear) => record.reserved !== undefined && credentials !== undefined

/** What is written down for an answer; undefined when it is no answer. */
export function entryOf(outcome: StatusOutcome | Exclude<Submitted, { kind: 'unsent' }>): Entry | undefined {
  switch (outcome.kind) {
    case 'approved':
      return { state: 'approved', id: outcome.transactionId }
    case 'declined':
      return { state: 'declined', code: outcome.code, message: outcome.message }
    case 'contradiction':
      return { state: 'review', remark: 'contradiction' }
    case 'not_found':
    case 'unanswered':
      return undefined
  }
}

const nameOf = ({ key, attempt }: Attempt) => ({ payment: key, attempt })
