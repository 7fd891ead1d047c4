import type { Ledger, PaymentRecord } from '@pay/ledger'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { AdoptPayment } from './adopt-payment.ts'
import type { Books } from './books.ts'

/** Looks after payments that nobody looks after: every worker has one, a lease in the ledger lets one of them work. It
 * needs the ledger and PayConex, not the queue.
 *
 *  accepted, past SEND_BY        -> not_sent: no gateway lived to say so
 *  sending, its worker silent    -> taken over: ask
 *  unconfirmed, due              -> ask again, and after the last time: review
 */
export type SweeperDeps = { ledger: Ledger; books: Books; adopt: AdoptPayment; worker: string; times: Times; log: Log }

export type Sweeper = { stop: () => Promise<void> }

const LIMIT = 100
const IN_HAND_LIMIT = 1000

export function startSweeper({ ledger, books, adopt, worker, times, log }: SweeperDeps): Sweeper {
  const inHand = new Map<string, Promise<void>>()
  const timer = setInterval(() => void sweep().catch(unanswered), times.sweepMs)
  const unanswered = (error: unknown) => log.warn({ step: 'sweep', reason: reasonOf(error) }, 'could not look')

  async function sweep(): Promise<void> {
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

  async function stepFor(record: PaymentRecord | undefined): Promise<void> {
    if (record?.state === 'accepted') await books.withdraw(record, { state: 'not_sent' }, { whenExpired: true })
    if (record?.state === 'sending') await adopt.takeOver(record)
    if (record?.state === 'unconfirmed') await adopt.askAgain(record)
  }

  return {
    /** Finishes what is in hand. */
    async stop() {
      clearInterval(timer)
      await Promise.all(inHand.values())
    },
  }
}
