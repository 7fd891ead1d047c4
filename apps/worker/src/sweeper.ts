import type { Ledger, PaymentRecord } from '@pay/ledger'
import { type Clock, type Log, reasonOf, type Span, type Times, type Traces } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books, Ending } from './books.ts'
import type { ReversePayment } from './reverse-payment.ts'

/** Looks after payments that nobody looks after: every worker has one, a lease in the ledger lets one of them work. It
 * needs the ledger and PayConex, not the queue.
 *
 *  accepted, past SEND_BY        -> not_sent: no gateway lived to say so
 *  sending, its worker silent    -> taken over: ask
 *  unconfirmed, due              -> ask again; proven absent: not_sent; after the last time: review
 *  approved, left open           -> reversed, when nobody can have heard of it (LATE_APPROVAL=reverse)
 *  reversing, due                -> ask what became of the reversal
 *
 * The lease stays with the worker that has it, unless that rests: one that lacks the key of a payment must not keep it from
 * those that have it.
 */
export type SweeperDeps = {
  ledger: Ledger
  books: Books
  adopt: AdoptPayment
  reversal: ReversePayment
  worker: string
  times: Times
  clock: Clock
  traces: Traces
  log: Log
}

export type Sweeper = ReturnType<typeof createSweeper>

const LIMIT = 100
const IN_HAND_LIMIT = 1000

const EXPIRED: Ending = { state: 'not_sent', class: 'too_late' }

export function createSweeper(deps: SweeperDeps) {
  const { ledger, books, adopt, reversal, worker, times, clock, log } = deps
  const inHand = new Map<string, Promise<void>>()
  const unanswered = (error: unknown) => log.warn({ event: 'sweep.failed', reason: reasonOf(error) }, 'could not look')

  let restsUntil = Number.NEGATIVE_INFINITY

  const sweep = async () => {
    if (clock.now() >= restsUntil) await visitDue().catch(unanswered)
  }

  /** Lets go of the sweeper's lease for as long as another worker needs to take it: this one cannot do all that is to be done. */
  function rest(): void {
    restsUntil = clock.now() + times.leaseMs + 2 * times.sweepMs
  }

  async function visitDue(): Promise<void> {
    // What is in hand may be due again meanwhile: it must not keep others off the list.
    const due = await ledger.due(worker, LIMIT + inHand.size)
    const unattended = due.filter((key) => !inHand.has(key))
    for (const key of unattended.slice(0, IN_HAND_LIMIT - inHand.size)) {
      const visit = lookAfter(key).catch(unanswered)
      inHand.set(
        key,
        visit.finally(() => inHand.delete(key)),
      )
    }
  }

  async function lookAfter(key: string): Promise<void> {
    try {
      await stepFor(await ledger.read(key))
    } finally {
      // Whatever is still due (its owner lives, or a step failed) makes room for others until a lease could have run out.
      await ledger.postpone(key, times.leaseMs)
    }
  }

  /** Told in a trace of its own, days after the one in which it began perhaps. */
  async function stepFor(record: PaymentRecord | undefined): Promise<void> {
    if (!record) return
    const { key: payment, attempt, method } = record
    const span = deps.traces.begin({ name: `sweep ${record.state}`, fields: { payment, attempt, method } })
    span.follows(record)
    await step(record, span).finally(() => span.end())
  }

  async function step(record: PaymentRecord, span: Span): Promise<void> {
    if (record.state === 'accepted') await books.withdraw(record, EXPIRED, { whenExpired: true }, span)
    if (record.state === 'sending') await adopt.takeOver(record, span)
    if (record.state === 'unconfirmed') await adopt.askAgain(record, span)
    if (record.state === 'approved') await reversal.reverse(record, span)
    if (record.state === 'reversing') await reversal.askAgain(record, span)
  }

  /** Resolves when what is in hand has ended. */
  const idle = async () => void (await Promise.all(inHand.values()))

  return { sweep, rest, idle }
}
