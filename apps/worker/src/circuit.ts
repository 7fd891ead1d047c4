import { type Credentials, readAnswer, Secret, type Transaction } from '@pay/mapper'
import type { Clock, Times } from '@pay/service'
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from 'cockatiel'
import type { Exchanged, Unsent } from './classify.ts'
import type { Exchange } from './exchange.ts'
import { pauseMs } from './pause.ts'
import type { Payconex } from './payconex.ts'

/** Knows when PayConex is away, so that nobody waits for what cannot be done.
 *
 *  closed     every exchange is counted: any answer, also a no, is a sign of life; never connected, lost, a page of something
 *             in between (HTML, 5xx) is silence
 *  suspected  silence some times in a row, whoever asked: payments go on, and we ask PayConex ourselves. An answer: closed
 *  open       it has been silent to us, too, and to everybody for `circuitSilenceMs`: nothing is reserved or sent. Look-ups of
 *             what was sent before go on. We keep asking; the first answer, to us or to a look-up, closes
 *
 * In a row, and not a share of all: one answer proves that PayConex is there, and half a PayConex is better than none. (What is
 * merely slow or flaky is bounded by the wait that the gateways predict.) The question of our own keeps one account's
 * trouble from being taken for everybody's: it is asked with the credentials that were answered last. It is
 * GET_TRANSACTION_ID, which moves no money; no customer's card is ever spent on finding out.
 *
 * After a restart it is closed. */
export type CircuitOptions = {
  /** Makes the client out of the exchange that is watched. */
  connect: (exchange: Exchange) => Payconex
  exchange: Exchange
  times: Pick<Times, 'circuitSilenceMs' | 'circuitProbeMs'>
  clock: Clock
  onChange?: (isOpen: boolean) => void
}

export type Circuit = ReturnType<typeof createCircuit>

const SILENCES_IN_A_ROW = 5

/** Not a byte leaves, and trying again at once makes no sense. */
const NOTHING: Unsent = { kind: 'unsent', reason: 'circuit open', retry: false }

export function createCircuit({ connect, exchange, times, clock, onChange = () => undefined }: CircuitOptions) {
  const { now, sleep } = clock
  const policy = circuitBreaker(
    handleWhenResult((exchanged) => !isAnswer(exchanged as Exchanged)),
    {
      breaker: new ConsecutiveBreaker(SILENCES_IN_A_ROW),
      // When to ask is decided by our own timer below; cockatiel would compare readings of the wall clock, which can go back.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
    },
  )
  const stopped = new AbortController()
  const client = connect(watched)
  let isOpen = false
  let answeredAt = Number.NEGATIVE_INFINITY
  let silentSince: number | undefined
  let lastSeen: Credentials | undefined
  let lastAnswered: Credentials | undefined

  policy.onBreak(() => void probe())
  policy.onReset(() => change(false))

  /** Counts what became of a request when it is over. While not closed, silence is no news: much of it began long ago. */
  async function watched(request: Parameters<Exchange>[0]): Promise<Exchanged> {
    const startedAt = now()
    const exchanged = read(await exchange(request))
    const isAnswered = isAnswer(exchanged)
    if (isAnswered) answeredAt = now()
    silentSince = isAnswered ? undefined : (silentSince ?? Math.max(startedAt, answeredAt))
    const counts = isAnswered || policy.state === CircuitState.Closed
    return counts ? policy.execute(() => exchanged) : exchanged
  }

  /** At once, and then after each pause. An answer closes the circuit by itself, through `watched`. */
  async function probe(): Promise<void> {
    for (let tries = 0; policy.state !== CircuitState.Closed && !stopped.signal.aborted; tries += 1) {
      const credentials = lastAnswered ?? lastSeen
      if (credentials) await client.reserve(credentials)
      if (now() - (silentSince ?? now()) >= times.circuitSilenceMs) change(true)
      await sleep(pauseMs(times.circuitProbeMs, tries), stopped.signal)
    }
  }

  function change(toOpen: boolean): void {
    if (isOpen === toOpen) return
    isOpen = toOpen
    onChange(toOpen)
  }

  const payconex: Payconex = {
    ...client,
    async reserve(credentials, ...more) {
      if (isOpen) return NOTHING
      lastSeen = credentials
      const reservation = await client.reserve(credentials, ...more)
      if (reservation.kind === 'reserved' || reservation.kind === 'declined') lastAnswered = credentials
      return reservation
    },
    async submit(transaction, ...more) {
      if (isOpen) return NOTHING
      lastSeen = credentialsOf(transaction) ?? lastSeen
      return client.submit(transaction, ...more)
    },
    reverse: async (...asked) => (isOpen ? NOTHING : client.reverse(...asked)),
    lookUp(credentials, ...more) {
      lastSeen = credentials
      return client.lookUp(credentials, ...more)
    },
  }

  /** Whether the last that was heard of PayConex is an answer, and not older than that. */
  const hasAnsweredWithin = (ms: number) => silentSince === undefined && now() - answeredAt <= ms

  return { payconex, isOpen: () => isOpen, hasAnsweredWithin, stop: () => stopped.abort() }
}

/** The one reading of an answer: what it means for the payment is taken from it, too. */
function read(exchanged: Exchanged): Exchanged {
  if (exchanged.kind !== 'answered') return exchanged
  const answer = readAnswer(exchanged.text)
  return answer ? { ...exchanged, answer } : exchanged
}

/** Whether it is PayConex that has spoken, whatever it said. */
const isAnswer = (exchanged: Exchanged): boolean =>
  exchanged.kind === 'answered' && exchanged.status < 500 && exchanged.answer !== undefined

/** Without reservations the transaction is all there is to learn them from. */
export function credentialsOf({ fields }: Transaction): Credentials | undefined {
  const { account_id: accountId, api_accesskey: accessKey } = fields
  return typeof accountId === 'string' && accessKey instanceof Secret ? { accountId, accessKey } : undefined
}
