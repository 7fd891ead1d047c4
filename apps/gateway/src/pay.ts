import { elapsedMs, type GatewayLedger, type Identity, isAttemptOver, type PaymentRecord, verdictOf } from '@pay/ledger'
import type { Credentials, PayRequest, Verdict } from '@pay/mapper'
import { isRefusal, type Producer, type SealKeys, sealCredentials, sealPayment } from '@pay/payment-queue'
import { type Clock, type Log, NO_SPAN, reasonOf, type Span, type Times } from '@pay/service'
import { type Admission, admissible } from './admission.ts'
import type { Lanes, Place } from './lanes.ts'
import type { Metrics } from './metrics.ts'
import type { Misuse } from './misuse.ts'
import type { HungUp, News, Seat, WaitingRoom } from './waiting-room.ts'
import type { WeatherWatch } from './watch-weather.ts'

/** One try, parsed: steps 3 to 6 of the journey.
 *
 *  3 identify   payment key and fingerprint
 *  4 admit      new or join: go on · replay: the outcome · reused: refused · ledger away: keep asking, at the end `unconfirmed`;
 *               with too many tries held already, silence
 *  5 seal, add  in the lane of its account: when others of it have ended. Queue away for longer than a moment, too many tries held, it
 *               is foreseen that it cannot be sent in time, or it looks like misuse: a new payment goes accepted -> not_sent, and
 *               only when that is acknowledged the caller hears `not_processed`; a payment that others began is left to them
 *  6 wait       the outcome · SEND_BY: accepted -> not_sent, or lost to the fence and waiting on · ANSWER_BY: `unconfirmed`
 *               being undone: until that has ended, at most as long as PayConex may take
 *
 * Resolves with what the caller hears, or with undefined: silence, because the caller hung up, or because nothing true can
 * be said yet and this gateway can hold no more tries. Twilio then tries again and joins. */
export type Try = {
  request: PayRequest
  /** The request as received: what the fingerprint is made of. */
  body: Record<string, unknown>
  credentials: Credentials
  /** Undefined: it may be that of a proxy, which many callers share. */
  address?: string | undefined
  hungUp: HungUp
  /** Where this try is told of. */
  span?: Span
}

export type PayDeps = {
  ledger: GatewayLedger
  producer: Producer
  room: WaitingRoom
  lanes: Lanes
  weather: Pick<WeatherWatch, 'sky' | 'queued'>
  misuse: Misuse
  metrics: Pick<Metrics, 'admitted' | 'refused'>
  identity: Identity
  sealKeys: SealKeys
  times: Times
  maxWaiting: number
  firstSeen: (key: string, arrivedAt: number) => number
  clock: Clock
  log: Log
}

export type Pay = (theTry: Try) => Promise<Verdict | undefined>

/** A held try at a deadline; `answerAt` is its ANSWER_BY by the clock of this gateway. */
type Overdue = { seat: Seat; record: PaymentRecord; answerAt: number; span: Span }

/** A try that was admitted: its payment, and what it needs to be held. */
type Admitted = {
  theTry: Try
  record: PaymentRecord
  seat: Seat
  isNew: boolean
  arrivedAt: number
  readAt: number
  span: Span
}

type Reason = Exclude<Admission, 'go'> | 'full' | 'queue' | NonNullable<ReturnType<Misuse['suspect']>>

/** A payment that is taken back, for the log. */
type Withdrawal = { record: PaymentRecord; span: Span; why: { class: string; reason?: string } }

/** SEND_BY has passed. */
const TOO_LATE = { class: 'too_late' }

type Known = 'new' | 'join' | 'replay' | 'reused'

const KNOWN = { join: 'try.joined', replay: 'try.replayed', reused: 'try.reused' } as const

const ADD = { name: 'add', kind: 'producer' } as const

const UNCONFIRMED: Verdict = { kind: 'unconfirmed' }
const NOT_PROCESSED: Verdict = { kind: 'not_processed' }

export function createPay(deps: PayDeps): Pay {
  const { ledger, producer, room, lanes, weather, misuse, identity, sealKeys, times, log } = deps
  const { now, sleep } = deps.clock

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
    const arrivedAt = now()
    const { span = NO_SPAN } = theTry
    span.note({ payment: key })
    const admitted = await span.within({ name: 'admit' }, () => admit(theTry, key, seat), admittedAs)
    if (!admitted || 'kind' in admitted) return unadmitted(key, seat, admitted)
    const { verdict, record, fingerprint } = admitted
    seat.admitted()
    deps.metrics.admitted(verdict)
    tell(verdict, record, now() - arrivedAt, span)
    if (verdict === 'reused') return { kind: 'transaction_id_reused' }
    const outcome = verdict === 'replay' ? verdictOf(record) : undefined
    // A request that was told of its decline hears the latest one, which may be that of another with other credentials.
    if (outcome && record.fingerprint === fingerprint) misuse.heard(theTry, record)
    if (outcome) return outcome
    const isNew = verdict === 'new'
    return leave(record, seat, await hold({ theTry, record, seat, isNew, arrivedAt, readAt: now(), span }))
  }

  /** A try that begins an attempt makes a payment `accepted`; every other one finds it as it is. */
  function tell(verdict: Known, { key, attempt, method, state }: PaymentRecord, ms: number, span: Span): void {
    const fields = { payment: key, attempt, method, state, trace_id: span.traceId }
    span.note({ attempt })
    if (verdict === 'new') {
      span.leads({ key, attempt })
      log.info({ event: 'payment.accepted', ...fields, from: 'none', ms: Math.round(ms) }, 'accepted')
    } else {
      span.follows({ key, attempt })
      log.info({ event: KNOWN[verdict], ...fields }, `known, ${verdict}`)
    }
  }

  /** A try that is told an outcome has been waited for until then. One that hears nothing, or nothing certain, is waited for no
   * longer: whoever finishes the payment later knows that it is not heard of here. The ledger's answer to that is also the last
   * look: what it knows by then is told. */
  async function leave(record: PaymentRecord, seat: Seat, verdict: Verdict | undefined): Promise<Verdict | undefined> {
    if (verdict && verdict.kind !== 'unconfirmed') return verdict
    const reply = await ledger.leave(record.key, seat.name).catch(() => undefined)
    return verdict && ((reply && outcomeFor(record, reply.record)) ?? verdict)
  }

  /** The ledger may have recorded it all the same, and its answer was lost. Nobody waits for its answer to this: it has just not
   * answered. */
  function unadmitted(key: string, seat: Seat, verdict: Verdict | undefined): Verdict | undefined {
    void ledger.leave(key, seat.name).catch(() => undefined)
    return verdict
  }

  async function hold(admitted: Admitted): Promise<Verdict | undefined> {
    const { record } = admitted
    const reason = reasonAgainst(admitted)
    const refusal = reason && (await refuse(admitted, reason))
    if (refusal) return refusal
    if (reason === 'full') return turnedAway(record.key)
    // A payment that could not be refused is waited for like others, but not sent on its way by us.
    return reason ? wait(admitted) : holdInLane(admitted)
  }

  /** Why this try cannot be served. One that joins a payment is turned away only by a full house: the payment may be in good
   * hands elsewhere. */
  function reasonAgainst({ theTry, record, isNew }: Admitted): Reason | undefined {
    if (isFull()) return 'full'
    if (!isNew) return undefined
    const suspicion = misuse.suspect(theTry)
    if (suspicion) return suspicion
    const admission = admissible({ ...weather.sky(), lane: lanes.look(record.account) }, times)
    return admission === 'go' ? undefined : admission
  }

  /** Its turn may come late; meanwhile there can be news, such as that another gateway was faster. */
  async function holdInLane(admitted: Admitted): Promise<Verdict | undefined> {
    const { record } = admitted
    const place = lanes.enter(record.account, nameOf(record), { isUnderWay: record.state !== 'accepted' })
    const dispatched = dispatchInTurn(admitted, place)
    try {
      const verdict = await wait(admitted)
      if (verdict) place.leave()
      // What this try has sealed, or seals only now, may be there although the worker has erased it: the one that learns the outcome
      // erases it again. Without an outcome it lives until ANSWER_BY at most.
      if (verdict && record.state === 'accepted')
        void dispatched.then(() => producer.shredAgain(record)).catch(() => undefined)
      return verdict
    } finally {
      place.hangUp()
    }
  }

  /** This try's own seat is counted, too. */
  function isFull(): boolean {
    return room.size() > deps.maxWaiting
  }

  /** Silence: there is no seat to wait in, and nothing true to say. */
  function turnedAway(key: string): undefined {
    log.warn({ event: 'try.turned_away', payment: key, reason: 'full' }, 'a try cannot be held')
  }

  /** Step 4. A ledger that does not answer is asked again until this try ends: whether this is a repeat cannot be known. A full
   * house does not hold the try for that; those who are held already stay. */
  async function admit({ request, body, credentials, hungUp }: Try, key: string, seat: Seat) {
    const fingerprint = identity.fingerprint({ body, accessKey: credentials.accessKey.expose() })
    const admission = {
      key,
      fingerprint,
      seat: seat.name,
      method: request.method,
      account: credentials.accountId,
      custom_id: request.transactionId,
      amount: request.amount,
      sealedCredentials: sealCredentials(credentials, key, sealKeys),
    }
    const arrivedAt = now()
    for (let isHeld = false; !hungUp.aborted; isHeld = true) {
      try {
        return { ...(await ledger.admit(admission)), fingerprint }
      } catch (error) {
        log.warn(
          { event: 'ledger.silent', payment: key, step: 'admit', reason: reasonOf(error) },
          'the ledger did not answer',
        )
        if (now() - deps.firstSeen(key, arrivedAt) >= times.answerByMs) return UNCONFIRMED
        if (!isHeld && isFull()) return turnedAway(key)
        await sleep(times.ledgerRetryMs)
      }
    }
    return undefined
  }

  /** Step 5. What the queue did not take is refused, if this try began it; the queue may have taken it all the same, but then
   * the fence will refuse the job. */
  async function dispatchInTurn(admitted: Admitted, { turn }: Place): Promise<void> {
    if (admitted.record.state !== 'accepted' || !(await turn) || admitted.theTry.hungUp.aborted) return
    const isQueued = await dispatchPatiently(admitted)
    if (!isQueued && admitted.isNew) await refuse(admitted, 'queue')
  }

  /** A queue that was there a moment ago is asked again while somebody waits, for as long as it takes to start a server anew. One that
   * says no is not, nor is one that has been away for longer. Asking twice queues once. */
  async function dispatchPatiently(admitted: Admitted): Promise<boolean> {
    const { record, theTry } = admitted
    const since = now()
    const hasPatience = () =>
      !theTry.hungUp.aborted && Math.max(producer.awayForMs(record), now() - since) < times.queuePatienceMs
    for (let isFirst = true; ; isFirst = false) {
      try {
        await admitted.span.within(ADD, (span) => dispatch(admitted, span))
        return true
      } catch (error) {
        if (isFirst) tellSilence(record, error)
        if (isRefusal(error) || !hasPatience()) return false
        await sleep(times.queueRetryMs)
        if (!hasPatience()) return false
      }
    }
  }

  function tellSilence({ key: payment, attempt }: PaymentRecord, error: unknown): void {
    const fields = { payment, attempt, step: 'add', reason: reasonOf(error) }
    log.warn({ event: 'queue.silent', ...fields }, 'the queue did not answer')
  }

  async function dispatch({ theTry, record, readAt }: Admitted, { traceparent }: Span): Promise<void> {
    const { request, credentials } = theTry
    const sealed = sealPayment({ request, credentials }, record, sealKeys)
    await producer.add(record, sealed, leftUntil(record, times.answerByMs) - (now() - readAt), traceparent)
    weather.queued()
  }

  /** Nothing can be done for this try. That is said only when the ledger has acknowledged that nothing will be sent; when a
   * worker was faster, or the ledger does not answer, nothing true can be said yet: undefined. */
  async function refuse({ record, isNew, arrivedAt, span }: Admitted, reason: Reason): Promise<Verdict | undefined> {
    if (!isNew) return undefined
    const latest = await withdraw({ record, span, why: { class: 'refused', reason } }).catch(() => undefined)
    if (latest) room.tell(latest)
    const verdict = latest && outcomeFor(record, latest)
    if (verdict) deps.metrics.refused(reason, now() - arrivedAt)
    return verdict
  }

  /** Step 6. */
  function wait(admitted: Admitted): Promise<Verdict | undefined> {
    const heard = (verdict: Verdict | undefined) => ({ verdict: verdict?.kind ?? 'silence' })
    return admitted.span.within({ name: 'wait' }, () => waitFor(admitted), heard)
  }

  async function waitFor({ theTry, seat, record: admitted, span }: Admitted): Promise<Verdict | undefined> {
    let record = admitted
    let readAt = now()
    // ANSWER_BY is long past then; but to undo it takes no longer than PayConex may take.
    const reversedBy = readAt + times.payconexTimeoutMs
    for (;;) {
      const answerAt = record.state === 'reversing' ? reversedBy : readAt + leftUntil(record, times.answerByMs)
      const deadline = record.state === 'accepted' ? readAt + leftUntil(record, times.sendByMs) : answerAt
      const early = await seat.next(Math.max(0, deadline - now()))
      const news = early.kind === 'deadline' ? await onDeadline({ seat, record, answerAt, span }) : early
      if (news.kind === 'hung up') return undefined
      if (news.kind === 'deadline') return UNCONFIRMED
      const verdict = outcomeFor(admitted, news.record)
      if (verdict && news.record.fingerprint === admitted.fingerprint) misuse.heard(theTry, news.record)
      if (verdict) return verdict
      if (news.record.attempt < record.attempt) continue
      record = news.record
      readAt = now()
    }
  }

  /** SEND_BY: withdraw it, or learn that the worker was faster. ANSWER_BY: look a last time. A ledger that does not answer
   * is asked again, for as long as there is somebody to answer. `deadline`: ANSWER_BY has passed without an outcome. */
  async function onDeadline({ seat, record, answerAt, span }: Overdue): Promise<News> {
    for (;;) {
      try {
        const isAccepted = record.state === 'accepted'
        const latest = await (isAccepted ? withdraw({ record, span, why: TOO_LATE }) : ledger.read(record.key))
        const isPending = !latest || (verdictOf(latest) === undefined && leftUntil(latest, times.answerByMs) <= 0)
        return isPending ? { kind: 'deadline' } : { kind: 'told', record: latest }
      } catch (error) {
        const fields = { payment: record.key, step: 'deadline', reason: reasonOf(error) }
        log.warn({ event: 'ledger.silent', ...fields }, 'the ledger did not answer')
        if (now() >= answerAt) return { kind: 'deadline' }
        const news = await seat.next(times.ledgerRetryMs)
        if (news.kind !== 'deadline') return news
      }
    }
  }

  /** accepted -> not_sent, where it still is; the record as it then stands. Once this attempt is over, whoever ended it, its
   * sealed card data goes at once. */
  async function withdraw({ record, span, why }: Withdrawal): Promise<PaymentRecord | undefined> {
    const reply = await ledger.withdraw(record, { state: 'not_sent' }, { whenExpired: why === TOO_LATE })
    if (reply?.verdict === 'withdrawn') {
      const { key: payment, attempt, method, state, now, first } = reply.record
      const fields = { payment, attempt, method, from: 'accepted', state, ms: now - first, trace_id: span.traceId }
      log.info({ event: 'payment.not_sent', ...fields, ...why }, 'not sent')
    }
    // Nobody waits for this: what cannot be erased now is gone at ANSWER_BY.
    if (reply && isAttemptOver(record, reply.record)) void producer.shred(record).catch(() => undefined)
    return reply?.record
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

/** For a trace. */
const admittedAs = (admitted: { verdict: string; record: PaymentRecord } | Verdict | undefined) =>
  admitted && 'verdict' in admitted
    ? { verdict: admitted.verdict, state: admitted.record.state, attempt: admitted.record.attempt }
    : { verdict: admitted?.kind ?? 'silence' }

/** What is left, at the time the record was read, of a time that counts from the first try of its attempt. */
const leftUntil = (record: PaymentRecord, ms: number): number => ms - elapsedMs(record)

const nameOf = ({ key, attempt }: PaymentRecord) => `${key}.${attempt}`
