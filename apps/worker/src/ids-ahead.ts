import { hash, randomBytes } from 'node:crypto'
import type { Credentials, Reservation, Transaction } from '@pay/mapper'
import { type Clock, type Log, NO_SPAN, reasonOf, type Span, type Times } from '@pay/service'
import { credentialsOf } from './circuit.ts'
import type { Unsent } from './classify.ts'
import type { Metrics } from './metrics.ts'
import type { Payconex, Submitted } from './payconex.ts'

/** Step 8, ahead of need (decision 18): a few ids for each account, so that no caller waits for one.
 *
 *  1 an approval under its own reserved id proves that PayConex honours the ids of this account: one more is fetched
 *  2 a payment takes the oldest id, or the fetch that is under way, or else asks by itself; so it does, and nothing happens here,
 *    when PayConex has not answered anybody a moment ago: it is asked whether it is there before it is sent a charge
 *  3 what it took is fetched again, as long as payments come soon one after the other: no payments, no questions
 *  4 one more is kept for each payment that had to wait, fewer when some were not needed for a while, none longer than
 *    `idAheadMs`
 *  ends: PayConex has been away, or refuses the account: forgotten, until the next proof · it contradicts itself: no more of
 *  this account · asked to end: nothing is fetched any more
 *
 * An id leaves here when it is taken and never comes back, whatever became of the payment; it is in one worker's memory only and
 * dies with it. That no two payments go under one id is decided at the fence, as ever. Credentials are not kept: each payment
 * brings those with which its place is filled again. */
export type IdsAheadOptions = {
  payconex: Payconex
  /** Of one account; 0: none. */
  most: number
  /** Whether the last word of PayConex was an answer, so short a time ago. */
  hasAnsweredWithin: (ms: number) => boolean
  times: Pick<Times, 'idAheadMs' | 'signOfLifeMs' | 'idsReviewMs' | 'idsPauseMs'>
  /** Aborted when this process is asked to end. */
  draining: AbortSignal
  clock: Pick<Clock, 'now'>
  metrics: Pick<Metrics, 'reserved'>
  log: Log
}

export type IdsAhead = ReturnType<typeof createIdsAhead>

/** One id, here or on its way. */
type Ahead = { askedAt: number; coming: Promise<Reservation | Unsent>; isHere: boolean }

type Stock = {
  /** The one that was asked for first comes first. */
  ids: Ahead[]
  /** So many are to be here when a payment comes. */
  wanted: number
  /** How many were always left since `reviewedAt`. */
  spare: number
  reviewedAt: number
  takenAt: number
  restsUntil: number
}

const REMEMBERED_ACCOUNTS = 1000

/** One for the one that was taken, one to grow. */
const MOST_AT_ONCE = 2

export function createIdsAhead(options: IdsAheadOptions) {
  const { payconex, most, hasAnsweredWithin, times, draining, clock, metrics, log } = options
  const { now } = clock
  const stocks = new Map<string, Stock | 'distrusted'>()
  const salt = randomBytes(16).toString('base64url')

  /** An account with one access key: an id that was fetched with one never serves another. The key cannot be read from it. */
  const nameOf = ({ accountId, accessKey }: Credentials) =>
    hash('sha256', `${salt}\n${accountId}\n${accessKey.expose()}`, 'base64url')

  function stockOf(credentials: Credentials): Stock | undefined {
    const stock = stocks.get(nameOf(credentials))
    return stock === 'distrusted' ? undefined : stock
  }

  function put(credentials: Credentials, stock: Stock | 'distrusted'): void {
    stocks.set(nameOf(credentials), stock)
    if (stocks.size > REMEMBERED_ACCOUNTS) stocks.delete(stocks.keys().next().value as string)
  }

  /** An id for one payment. What was fetched ahead and failed is never seen here; a fetch under way is this payment's own. */
  async function take(credentials: Credentials, span: Span = NO_SPAN): Promise<Reservation | Unsent> {
    const stock = stocks.size > 0 && hasAnsweredWithin(times.signOfLifeMs) ? stockOf(credentials) : undefined
    const ahead = stock && next(stock)
    const wasHere = ahead?.isHere === true
    metrics.reserved(wasHere ? 'ahead' : 'waited')
    span.note({ reserved: wasHere ? 'ahead' : 'waited' })
    const coming = ahead?.coming ?? payconex.reserve(credentials, span)
    if (stock) follow(stock, credentials, wasHere)
    const reservation = await coming
    if (reservation.kind === 'declined') forget(credentials)
    return reservation
  }

  function next(stock: Stock): Ahead | undefined {
    dropExpired(stock)
    const firstHere = stock.ids.findIndex(({ isHere }) => isHere)
    return stock.ids.splice(Math.max(0, firstHere), 1)[0]
  }

  function dropExpired(stock: Stock): void {
    const oldest = now() - times.idAheadMs
    const kept = stock.ids.findIndex(({ askedAt }) => askedAt >= oldest)
    const expired = stock.ids.splice(0, kept < 0 ? stock.ids.length : kept).length
    if (expired === 0) return
    stock.wanted = Math.max(1, stock.wanted - expired)
    metrics.reserved('unused', expired)
  }

  /** The stock follows what is taken from it. An account of which the ids would grow too old until its next payment has none. */
  function follow(stock: Stock, credentials: Credentials, wasHere: boolean): void {
    const isFrequent = now() - stock.takenAt <= times.idAheadMs
    stock.takenAt = now()
    if (!isFrequent) return
    if (!wasHere) stock.wanted = Math.min(most, stock.wanted + 1)
    review(stock)
    fill(stock, credentials)
  }

  function review(stock: Stock): void {
    const left = stock.ids.reduce((count, { isHere }) => count + Number(isHere), 0)
    stock.spare = Math.min(stock.spare, left)
    if (now() - stock.reviewedAt < times.idsReviewMs) return
    stock.wanted = Math.max(1, stock.wanted - stock.spare)
    stock.spare = left
    stock.reviewedAt = now()
  }

  function fill(stock: Stock, credentials: Credentials): void {
    if (draining.aborted || now() < stock.restsUntil) return
    const missing = Math.min(MOST_AT_ONCE, stock.wanted - stock.ids.length)
    for (let n = 0; n < missing; n += 1) void fetchAhead(stock, credentials)
  }

  async function fetchAhead(stock: Stock, credentials: Credentials): Promise<void> {
    const ahead: Ahead = { askedAt: now(), coming: payconex.reserve(credentials), isHere: false }
    stock.ids.push(ahead)
    const reservation = await ahead.coming.catch(failed)
    ahead.isHere = reservation.kind === 'reserved'
    if (ahead.isHere) return
    // Whoever has taken it meanwhile hears the same, as if he had asked by himself.
    stock.ids = stock.ids.filter((one) => one !== ahead)
    stock.restsUntil = now() + times.idsPauseMs
    if (reservation.kind === 'declined') forget(credentials)
  }

  /** What an answer to a charge says about ids. */
  function learn(transaction: Transaction, reservedId: string, isRepeat: boolean, submitted: Submitted): void {
    const credentials = credentialsOf(transaction)
    if (!credentials) return
    if (submitted.kind === 'approved' && submitted.transactionId === reservedId) prove(credentials)
    if (submitted.kind === 'contradiction') distrust(credentials, 'a contradiction')
    // An id that was fetched is not known any more, say, or used. Of a repeat that is what is to be expected.
    const isAboutId = submitted.kind === 'declined' && /transaction[ _]?id/i.test(submitted.message)
    if (isAboutId && !isRepeat) distrust(credentials, 'an id was refused')
  }

  function prove(credentials: Credentials): void {
    if (stocks.has(nameOf(credentials))) return
    const [takenAt, reviewedAt] = [now(), now()]
    const stock = { ids: [], wanted: 1, spare: 0, reviewedAt, takenAt, restsUntil: Number.NEGATIVE_INFINITY }
    put(credentials, stock)
    fill(stock, credentials)
  }

  function forget(credentials: Credentials): void {
    if (stocks.size > 0 && stockOf(credentials)) stocks.delete(nameOf(credentials))
  }

  /** No ids ahead for this account, as long as this process lives. */
  function distrust(credentials: Credentials, reason: string): void {
    if (most === 0 || stocks.get(nameOf(credentials)) === 'distrusted') return
    put(credentials, 'distrusted')
    log.warn({ event: 'payconex.ids_distrusted', reason }, 'no ids are reserved ahead any more for an account')
  }

  function failed(error: unknown): Reservation {
    return { kind: 'unanswered', reason: reasonOf(error) }
  }

  return {
    take,
    distrust,

    /** All ids and all proofs: PayConex is away. */
    forgetAll(): void {
      for (const [name, stock] of stocks) if (stock !== 'distrusted') stocks.delete(name)
    },

    /** The same PayConex, listened to. */
    payconex: {
      ...payconex,
      async submit(transaction, asked = {}, ...more) {
        const submitted = await payconex.submit(transaction, asked, ...more)
        const { reservedId, isRepeat = false } = asked
        if (most > 0 && reservedId !== undefined) learn(transaction, reservedId, isRepeat, submitted)
        return submitted
      },
    } satisfies Payconex,
  }
}
