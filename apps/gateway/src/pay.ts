import { setTimeout as sleep } from 'node:timers/promises'
import { elapsedMs, type Identity, isAttemptOver, type Ledger, type PaymentRecord } from '@pay/ledger'
import type { Credentials, PayRequest, Verdict } from '@pay/mapper'
import { type Producer, type SealKeys, sealCredentials, sealPayment } from '@pay/payment-queue'
import { type Log, reasonOf, type Times } from '@pay/service'
import { verdictOf } from './verdict.ts'
import type { News, Seat, WaitingRoom } from './waiting-room.ts'

/** One try, parsed: steps 3 to 6 of the journey.
 *
 *  3 identify   payment key and fingerprint
 *  4 admit      new or join: go on · replay: the outcome · reused: refused · ledger away: keep asking, at the end `unconfirmed`;
 *               with too many tries held already, silence
 *  5 seal, add  queue away or too many tries held: a new payment goes accepted -> not_sent, and only when that is acknowledged
 *               the caller hears `not_processed`; a payment that others began is left to them
 *  6 wait       the outcome · SEND_BY: accepted -> not_sent, or lost to the fence and waiting on · ANSWER_BY: `unconfirmed`
 *
 * Resolves with what the caller hears, or with undefined: silence, because the caller hung up, or because nothing true can
 * be said yet and this gateway can hold no more tries. Twilio then tries again and joins. */
export type Try = {
  request: PayRequest
  /** The request as received: what the fingerprint is made of. */
  body: Record<string, unknown>
  credentials: Credentials
  hungUp: AbortSignal
}

export type PayDeps = {
  ledger: Ledger
  producer: Producer
  room: WaitingRoom
  identity: Identity
  sealKeys: SealKeys
  times: Times
  gateway: string
  maxWaiting: number
  firstSeen: (key: string, arrivedAt: number) => number
  now: () => number
  log: Log
}

export type Pay = (theTry: Try) => Promise<Verdict | undefined>

/** A held try at a deadline; `answerAt` is its ANSWER_BY by the clock of this gateway. */
type Overdue = { seat: Seat; record: PaymentRecord; answerAt: number }

const UNCONFIRMED: Verdict = { kind: 'unconfirmed' }
const NOT_PROCESSED: Verdict = { kind: 'not_processed' }

export function createPay(deps: PayDeps): Pay {
  const { ledger, producer, room, identity, sealKeys, times, log, now } = deps

  return async function pay(theTry) {
    const key = identity.paymentKey({ accountId: theTry.credentials.accountId, ...theTry.request })
    // The seat is taken before the ledger is asked: news that comes in between is not lost.
    const seat = room.enter(key, theTry.hungUp)
    try {
      return await payFromSeat(theTry, key, seat)
    } finally {
      seat.leave()
    }
  }

  async function payFromSeat(theTry: Try, key: string, seat: Seat): Promise<Verdict | undefined> {
    const admitted = await admit(theTry, key)
    if (!admitted || 'kind' in admitted) return admitted
    const { verdict, record } = admitted
    log.info({ payment: key, attempt: record.attempt, method: record.method, verdict, state: record.state }, 'admitted')
    if (verdict === 'reused') return { kind: 'transaction_id_reused' }
    const outcome = verdict === 'replay' ? verdictOf(record) : undefined
    if (outcome) return outcome
    const isNew = verdict === 'new'
    if (isFull()) return isNew ? refuse(record, 'full') : turnedAway(key)
    if (await dispatched(theTry, record)) return waitAndErase(seat, record)
    // A payment that this try only joins may be in good hands elsewhere: it is not withdrawn from under them.
    const refusal = isNew ? await refuse(record, 'queue') : undefined
    return refusal ?? waitAndErase(seat, record)
  }

  /** This try's own seat is counted, too. */
  function isFull(): boolean {
    return room.size() > deps.maxWaiting
  }

  /** Silence: there is no seat to wait in, and nothing true to say. */
  function turnedAway(key: string): undefined {
    log.warn({ payment: key, reason: 'full' }, 'a try cannot be held')
  }

  /** Step 4. A ledger that does not answer is asked again until this try ends: whether this is a repeat cannot be known. A full
   * house does not hold the try for that; those who are held already stay. */
  async function admit({ request, body, credentials, hungUp }: Try, key: string) {
    const fingerprint = identity.fingerprint({ body, accessKey: credentials.accessKey.expose() })
    const admission = {
      key,
      fingerprint,
      gateway: deps.gateway,
      method: request.method,
      account: credentials.accountId,
      custom_id: request.transactionId,
      amount: request.amount,
      sealedCredentials: sealCredentials(credentials, key, sealKeys),
    }
    const arrivedAt = now()
    for (let isHeld = false; !hungUp.aborted; isHeld = true) {
      try {
        return await ledger.admit(admission)
      } catch (error) {
        log.warn({ payment: key, step: 'admit', reason: reasonOf(error) }, 'the ledger did not answer')
        if (now() - deps.firstSeen(key, arrivedAt) >= times.answerByMs) return UNCONFIRMED
        if (!isHeld && isFull()) return turnedAway(key)
        await sleep(times.ledgerRetryMs)
      }
    }
    return undefined
  }

  /** Step 5. False when the queue did not take it; it may have all the same, but then the fence will refuse the job. */
  async function dispatched({ request, credentials }: Try, record: PaymentRecord): Promise<boolean> {
    if (record.state !== 'accepted') return true
    try {
      const sealed = sealPayment({ request, credentials }, record, sealKeys)
      await producer.add(record, sealed, leftUntil(record, times.answerByMs))
      return true
    } catch (error) {
      log.warn({ payment: record.key, step: 'add', reason: reasonOf(error) }, 'the queue did not answer')
      return false
    }
  }

  /** Nothing can be done for this try. That is said only when the ledger has acknowledged that nothing will be sent; when a
   * worker was faster, or the ledger does not answer, nothing true can be said yet: undefined. */
  async function refuse(record: PaymentRecord, reason: 'full' | 'queue'): Promise<Verdict | undefined> {
    log.warn({ payment: record.key, attempt: record.attempt, reason }, 'a new payment cannot be taken')
    const latest = await withdraw(record).catch(() => undefined)
    return latest && outcomeFor(record, latest)
  }

  /** Step 6. A try that sealed the payment may have done so after the worker erased it: the one that learns the outcome erases
   * it again. Without an outcome it lives until ANSWER_BY at most. */
  async function waitAndErase(seat: Seat, record: PaymentRecord): Promise<Verdict | undefined> {
    const verdict = await wait(seat, record)
    if (verdict && record.state === 'accepted') erase(record)
    return verdict
  }

  async function wait(seat: Seat, admitted: PaymentRecord): Promise<Verdict | undefined> {
    let record = admitted
    let readAt = now()
    for (;;) {
      const answerAt = readAt + leftUntil(record, times.answerByMs)
      const deadline = record.state === 'accepted' ? readAt + leftUntil(record, times.sendByMs) : answerAt
      const early = await seat.next(Math.max(0, deadline - now()))
      const news = early.kind === 'deadline' ? await onDeadline({ seat, record, answerAt }) : early
      if (news.kind === 'hung up') return undefined
      if (news.kind === 'deadline') return UNCONFIRMED
      const verdict = outcomeFor(admitted, news.record)
      if (verdict) return verdict
      if (news.record.attempt < record.attempt) continue
      record = news.record
      readAt = now()
    }
  }

  /** SEND_BY: withdraw it, or learn that the worker was faster. ANSWER_BY: look a last time. A ledger that does not answer
   * is asked again, for as long as there is somebody to answer. `deadline`: ANSWER_BY has passed without an outcome. */
  async function onDeadline({ seat, record, answerAt }: Overdue): Promise<News> {
    for (;;) {
      try {
        const isAccepted = record.state === 'accepted'
        const latest = await (isAccepted ? withdraw(record, { whenExpired: true }) : ledger.read(record.key))
        const isPending = !latest || (verdictOf(latest) === undefined && leftUntil(latest, times.answerByMs) <= 0)
        return isPending ? { kind: 'deadline' } : { kind: 'told', record: latest }
      } catch (error) {
        log.warn({ payment: record.key, step: 'deadline', reason: reasonOf(error) }, 'the ledger did not answer')
        if (now() >= answerAt) return { kind: 'deadline' }
        const news = await seat.next(times.ledgerRetryMs)
        if (news.kind !== 'deadline') return news
      }
    }
  }

  /** accepted -> not_sent, where it still is; the record as it then stands. Once this attempt is over, whoever ended it, its
   * sealed card data goes at once. */
  async function withdraw(record: PaymentRecord, options = { whenExpired: false }): Promise<PaymentRecord | undefined> {
    const reply = await ledger.withdraw(record, { state: 'not_sent' }, options)
    if (reply && isAttemptOver(record, reply.record)) erase(record)
    return reply?.record
  }

  /** Nobody waits for this: what cannot be erased now is gone at ANSWER_BY. */
  function erase(record: PaymentRecord): void {
    void producer.shred(record).catch(() => undefined)
  }
}

/** What a try that was admitted as `admitted` hears of the record as it is now. A later attempt with the same request is
 * followed; one with another request means that ours ended without a charge, for only then can another begin. News of an
 * earlier attempt says nothing. */
function outcomeFor(admitted: PaymentRecord, latest: PaymentRecord): Verdict | undefined {
  if (latest.attempt < admitted.attempt) return undefined
  if (latest.fingerprint !== admitted.fingerprint) return NOT_PROCESSED
  return verdictOf(latest)
}

/** What is left, at the time the record was read, of a time that counts from the first try of its attempt. */
const leftUntil = (record: PaymentRecord, ms: number): number => ms - elapsedMs(record)
