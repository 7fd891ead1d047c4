import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { type Body, post, visaCharge } from './caller.ts'
import { openRecords } from './matrix-records.ts'
import { type Request, type Transaction, witness } from './simulator.ts'

/** What a caller heard, in a word: `approved`, a code, or `silence`. */
export type Heard = string

/** The three books of one payment. `charged` counts what PayConex approved, `returned` what it gave back. */
export type ThreeBooks = { heard: Heard; ledger: string; charged: number; returned: number }

export type WorldOptions = {
  stack: Stack
  timeScale: number
  tries?: number
  /** Where our records are, when not on one server. */
  ledgerUrls?: readonly string[]
}

export type Payer = ReturnType<ReturnType<typeof createPayers>['payer']>

type Answered = Record<string, string | null>

/** Makes people who pay, each with an account of his own: faults that are set for him hit nobody else. */
export function createPayers({ stack, timeScale, tries: limit = 6, ledgerUrls }: WorldOptions) {
  const tryMs = 10_000 * timeScale
  const url = stack.simulator?.url ?? ''
  const payconex = witness(url)
  const records = openRecords(...(ledgerUrls ?? [stack.ledger.url]))
  const turn = createTurnstile(CALL_EVERY_MS)

  function payer(make: () => Body = visaCharge, account = freshAccount()) {
    const body = make()
    const customId = String(body.transaction_id)
    let heard: Answered | 'silence' = 'silence'

    /** One try. A gateway that cannot be reached, or hangs up, is silent. */
    async function tryOnce(nth = 0, withinMs = tryMs): Promise<Answered | 'silence'> {
      const begun = performance.now()
      const endpoint = stack.gateways[nth % stack.gateways.length]?.endpoint ?? ''
      const options = { user: account, signal: AbortSignal.timeout(withinMs) }
      const answer = await post(endpoint, body, options).catch(() => undefined)
      if (answer) return answer.body
      await sleep(Math.max(0, withinMs - (performance.now() - begun)))
      return 'silence'
    }

    /** As Twilio does it: a try, and on silence another one with the same transaction_id, six in all. */
    async function call(): Promise<Heard> {
      heard = 'silence'
      await turn()
      for (let nth = 0; nth < limit && heard === 'silence'; nth += 1) heard = await tryOnce(nth)
      return wordFor(heard)
    }

    const own = (all: Transaction[]) => all.filter(({ account_id }) => account_id === account)
    const transactions = async () => own((await payconex.books(customId)).transactions)
    const charges = async () => (await transactions()).filter(isApprovedCharge)
    const record = () => records.find(account, customId)
    const requests = async (kind: string) =>
      (await payconex.requestsOf(account)).filter((request) => request.kind === kind)

    /** Waits until the payment stands like this (or like this) in our ledger, then compares all three books. */
    async function books(...states: string[]): Promise<ThreeBooks> {
      await until(async () => states.includes((await record())?.state ?? ''), BOOKS_LIMIT_MS)
      const [approved, all, ours] = [await charges(), await transactions(), await record()]
      const returned = all.filter(({ transaction_type, approved }) => transaction_type === 'REVERSAL' && approved)
      const charge = approved[0]
      if (ours?.state === 'approved') expect(ours.id).toBe(charge?.transaction_id)
      if (charge && body.method === 'charge') expect(charge.transaction_amount).toBe(Number(body.amount).toFixed(2))
      if (wordFor(heard) === 'approved') expect(idIn(heard)).toBe(charge?.transaction_id)
      const told = { heard: wordFor(heard), ledger: ours?.state ?? 'nothing' }
      return { ...told, charged: approved.length, returned: returned.length }
    }

    return {
      account,
      body,
      customId,
      call,
      tryOnce,
      books,
      record,
      charges,
      requests,
      /** Under which ids this payment was sent, as often as it was. */
      sends: async () => (await payconex.requests(customId)).filter(isSend).map(({ values }) => values.transaction_id),
      /** The next requests of this account that fit are hit. */
      fault: (what: Record<string, unknown>) => payconex.fault({ ...what, account_id: account }),
      /** Something was approved under its own reserved id: from now on PayConex may be asked to take a charge once more, and is
       * believed when it has long been asked and knows of none. */
      prove: async () =>
        expect(await payer(() => ({ ...body, transaction_id: randomUUID() }), account).call()).toBe('approved'),
      /** Until PayConex has so many requests of this kind from this account. */
      arrived: (kind: string, count = 1) => until(async () => (await requests(kind)).length >= count, 10_000, 20),
      /** PayConex has handed its answer about the charge to the network. */
      isAnswered: async () => (await charges())[0]?.answered === true,
      reaches: (state: string) => until(async () => (await record())?.state === state, 10_000, 20),
    }
  }

  /** Until payments go through: a worker that has just come, or a PayConex that is back, is not known to the gateways at once. */
  const isServed = () => until(async () => (await payer().call()) === 'approved', SERVED_LIMIT_MS)

  return { payer, payconex, isServed, close: records.close }
}

// Many tests begin at the same time. Their callers need not, on a machine with two cores.
const CALL_EVERY_MS = 30

function createTurnstile(everyMs: number) {
  let next = performance.now()
  return () => {
    next = Math.max(performance.now(), next + everyMs)
    return sleep(Math.max(0, next - performance.now()))
  }
}

const BOOKS_LIMIT_MS = 13_000
const SERVED_LIMIT_MS = 10_000

const freshAccount = () => `12${String(randomInt(10_000_000_000)).padStart(10, '0')}`

const idIn = (heard: Answered | 'silence') => (heard === 'silence' ? undefined : (heard.charge_id ?? heard.token_id))

function wordFor(heard: Answered | 'silence'): Heard {
  if (heard === 'silence') return heard
  return heard.error_code ?? (idIn(heard) ? 'approved' : 'nothing')
}

const CHARGES = ['SALE', 'AUTHORIZATION', 'STORE']

const isApprovedCharge = ({ approved, transaction_type }: Transaction) => approved && CHARGES.includes(transaction_type)

const isSend = ({ kind }: Request) => CHARGES.includes(kind.toUpperCase())

/** Resolves when it is so, or when the time is up; whoever asks looks again what it is then. */
export async function until(isSo: () => Promise<boolean> | boolean, withinMs: number, everyMs = 150): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (await isSo()) return true
    await sleep(everyMs)
  }
  return false
}
