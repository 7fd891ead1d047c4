import { elapsedMs, type PaymentRecord } from '@pay/ledger'
import type { PayRequest } from '@pay/mapper'
import { type CardTesting, type CardTestingOptions, createCardTesting } from './card-testing.ts'
import { type Caller, createGuesses, type Guesses } from './guesses.ts'
import { createRecentCounts } from './recent-counts.ts'

export type Misuse = ReturnType<typeof createMisuse>

/** Who wants what to be done. */
export type Payer = Caller & { request: Pick<PayRequest, 'method' | 'instrument'> }

type MisuseOptions = {
  guesses: Guesses
  cardTesting: CardTesting
  /** How long it is remembered which payments were counted. */
  windowMs: number
  now: () => number
}

/** What speaks against taking a new payment: its caller, not the weather. Learns from how payments end, each attempt counted
 * once, however often its outcome is asked for. */
function createMisuse({ guesses, cardTesting, windowMs, now }: MisuseOptions) {
  const counted = createRecentCounts({ windowMs, now, limit: 100_000 })

  return {
    suspect(payer: Payer): 'bad credentials' | 'card testing' | undefined {
      if (guesses.isOneTooMany(payer)) return 'bad credentials'
      return cardTesting.isSuspected(lineOf(payer)) ? 'card testing' : undefined
    },

    /** The outcome of a payment that was requested with these very credentials. An old one says nothing about now: asked for again
     * and again, it would be counted anew in each window. */
    heard(payer: Payer, record: PaymentRecord): void {
      const attempt = `${record.key}.${record.attempt}`
      if (!isSaid(record) || elapsedMs(record) >= windowMs || counted.of(attempt) > 0) return
      counted.add(attempt)
      if (isOfCredentials(record)) guesses.wasRefused(payer)
      else guesses.wasServed(payer)
      if (record.state === 'approved') cardTesting.wasApproved(lineOf(payer))
      else if (!isOfCredentials(record)) cardTesting.wasDeclined(lineOf(payer))
    },
  }
}

export type MisuseLimits = {
  badCredentials: { limit: number; windowMs: number }
  cardTesting: Omit<CardTestingOptions, 'now'>
}

/** All of it, with the door's part of it apart. */
export function watchMisuse({ badCredentials, cardTesting }: MisuseLimits, now: () => number) {
  const guesses = createGuesses({ ...badCredentials, now })
  const windowMs = Math.max(badCredentials.windowMs, cardTesting.windowMs)
  const misuse = createMisuse({ guesses, cardTesting: createCardTesting({ ...cardTesting, now }), windowMs, now })
  return { guesses, misuse }
}

/** What is counted together. A token is given for any number of the right form, and a bank account is approved before its bank has
 * seen it: such approvals would hide the declines of stolen cards. */
const lineOf = ({ credentials, request }: Payer) =>
  `${credentials.accountId} ${request.method} ${request.instrument.kind}`

const isSaid = ({ state }: PaymentRecord) => state === 'approved' || state === 'declined'

/** PayConex refuses credentials before anything is sent, when it is asked for an id; where it was not asked for one, what it says is
 * all there is. Its codes are not published, its messages were seen. */
const isOfCredentials = ({ state, sent, message = '' }: PaymentRecord) =>
  state === 'declined' && (sent === undefined || OF_CREDENTIALS.test(message))

const OF_CREDENTIALS = /\b(account_?id|api_?access_?key|security violation)\b/i
