import type { Entry, Ledger, PaymentRecord } from '@pay/ledger'
import type { Credentials, Transaction } from '@pay/mapper'
import { openCredentials, type SealKeys } from '@pay/payment-queue'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { Books } from './books.ts'
import type { Owners } from './owners.ts'
import type { Settle, Unclear } from './settle.ts'

/** Payments whose worker is gone. Of them only what became of them can be asked: whether they were sent is not known. */
export type AdoptDeps = {
  ledger: Ledger
  books: Books
  settle: Settle
  sealKeys: SealKeys
  times: Times
  owners: Owners
  now: () => number
  log: Log
}

export type AdoptPayment = ReturnType<typeof createAdoptPayment>

export function createAdoptPayment({ ledger, books, settle, sealKeys, times, owners, now, log }: AdoptDeps) {
  /** A payment in `sending` whose owner is silent: asked about until ANSWER_BY. */
  const takeOver = (record: PaymentRecord): Promise<void> =>
    owners.lend(async (owner) => {
      const unclear = await claim(record, owner)
      if (!unclear) return
      log.warn({ payment: record.key, attempt: record.attempt }, 'taken over from a silent worker')
      const entry = await settle.ask(unclear)
      await (entry ? books.finish(unclear.record, owner, entry) : books.release(unclear.record, owner))
    })

  /** An unconfirmed payment is asked about once more; after the last time, or without an id to ask by, a person must look. */
  const askAgain = (record: PaymentRecord): Promise<void> =>
    owners.lend(async (owner) => {
      const unclear = await claim(record, owner)
      if (!unclear) return
      const dueMs = times.unconfirmedScheduleMs[record.asked + 1]
      const isLast = dueMs === undefined || record.reserved === undefined
      const unanswered: Entry = isLast ? { state: 'review' } : { state: 'unconfirmed', dueMs, asked: record.asked + 1 }
      await books.finish(unclear.record, owner, (await settle.askOnce(unclear)) ?? unanswered)
    })

  async function claim(record: PaymentRecord, owner: string): Promise<Unclear | undefined> {
    const isForgotten = owners.isForgotten(record.owner)
    const { readAt, taken } = await books.insist('take over', record.key, async () => {
      const askedAt = now()
      return { readAt: askedAt, taken: await ledger.takeOver(record, owner, { isForgotten }) }
    })
    if (taken?.verdict !== 'taken') return undefined
    const { record: latest, sealedCredentials } = taken
    // Its worker may have sent as late as this.
    const sentBy = (latest.sent ?? latest.now) + times.sendWindowMs + times.connectTimeoutMs
    // Which of SALE and AUTHORIZATION it was makes no difference to a look-up.
    const type: Transaction['type'] = latest.method === 'tokenize' ? 'STORE' : 'SALE'
    return { record: latest, readAt, sentBy, type, credentials: opened(latest, sealedCredentials) }
  }

  function opened({ key }: PaymentRecord, sealedCredentials: string): Credentials | undefined {
    try {
      return openCredentials(sealedCredentials, key, sealKeys)
    } catch (error) {
      log.error({ payment: key, step: 'look up', reason: reasonOf(error) }, 'the credentials cannot be opened')
      return undefined
    }
  }

  return { takeOver, askAgain }
}
