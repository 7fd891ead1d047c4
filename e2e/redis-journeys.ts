import { expect } from 'vitest'
import { type Payer, type ThreeBooks, until } from './matrix-payer.ts'

/** The two ways in which a payment may end when a part of ours fails: it is charged, and that is told; or it is not, and that is. */
export const CHARGED: ThreeBooks = { charged: 1, returned: 0, ledger: 'approved', heard: 'approved' }
export const NOT_SENT: ThreeBooks = { charged: 0, returned: 0, ledger: 'not_sent', heard: 'not_processed' }

const OPEN = [undefined, 'accepted', 'sending', 'unconfirmed', 'reversing']

/** The three books of a payment that is over. */
export async function whenOver(payer: Payer): Promise<ThreeBooks> {
  await until(async () => !OPEN.includes((await payer.record())?.state), 8000)
  return payer.books((await payer.record())?.state ?? 'nothing')
}

/** Payments of three callers, each at another step of its journey when something happens. */
export async function onTheirWay(payerAt: () => Payer) {
  const [coming, reserving, sending] = [payerAt(), payerAt(), payerAt()]
  await reserving.fault({ fault: 'delay', ms: 400, on: 'reserve' })
  await sending.fault({ fault: 'delay', ms: 600 })
  const calls = [reserving.call(), sending.call()]
  await Promise.all([reserving.arrived('reserve'), sending.arrived('sale')])

  return {
    /** The one that comes last is made while it happens. */
    come: () => void calls.push(coming.call()),
    /** Whatever happened is over: each caller has his answer, and it is true. What was sent was charged, and that is told. */
    arriveSafely: async () => {
      await Promise.all(calls)
      const books = await Promise.all([coming, reserving, sending].map(whenOver))
      for (const one of books) expect([CHARGED, NOT_SENT]).toContainEqual(one)
      expect(books[2]).toEqual(CHARGED)
      return books
    },
  }
}
