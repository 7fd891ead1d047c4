import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { Credentials } from '@pay/mapper'
import { createRecentCounts } from './recent-counts.ts'

export type Guesses = ReturnType<typeof createGuesses>

export type GuessesOptions = {
  /** So many wrong ones within `windowMs`; 0: as many as one likes. */
  limit: number
  windowMs: number
  now: () => number
}

/** Who presents credentials; the address is undefined where it may be that of a proxy, which many share. */
export type Caller = { credentials: Credentials; address?: string | undefined }

const DAY = 24 * 60 * 60 * 1000

/** Against guessing credentials. Only PayConex can tell right ones from wrong ones, so what it said is remembered here, in this
 * process: which pairs of account and key it refused lately, and which it has served within a day. The latter always pass,
 * whatever others try: nobody can lock a merchant out by guessing. Decision 14 says what follows.
 *
 * A pair is known by an HMAC under a key that dies with the process. So nothing of an access key is kept, and how long it takes to
 * find one says nothing about it. */
export function createGuesses({ limit, windowMs, now }: GuessesOptions) {
  // As an object of its own: a plain buffer would be made one again for each payment, which takes six times as long.
  const key = createSecretKey(randomBytes(32))
  const counts = () => createRecentCounts({ windowMs, now })
  const [pairs, accounts, addresses, strangers] = [counts(), counts(), counts(), counts()]
  const served = createRecentCounts({ windowMs: DAY, now })
  const nameOf = ({ accountId, accessKey }: Credentials) =>
    createHmac('sha256', key).update(`${accountId}:${accessKey.expose()}`).digest('base64url')

  return {
    /** Whether these credentials are not to be tried: too many wrong ones lately, and nothing speaks for these. */
    isOneTooMany({ credentials, address = '' }: Caller): boolean {
      if (limit === 0 || pairs.size() === 0) return false
      const pair = nameOf(credentials)
      const wrong = [pairs.of(pair), accounts.of(credentials.accountId), addresses.of(address)]
      return Math.max(...wrong) >= limit && served.of(pair) === 0
    },

    wasServed({ credentials }: Caller): void {
      if (limit > 0) served.add(nameOf(credentials))
    },

    /** One wrong pair that is tried again and again counts once for its account: a caller who is set up wrongly is no guesser, and
     * keeps nobody else out. One that was served before is no guess at all: its key was changed, or PayConex is in trouble. */
    wasRefused({ credentials, address }: Caller): void {
      const pair = limit === 0 ? '' : nameOf(credentials)
      if (limit === 0 || served.of(pair) > 0) return
      const isNew = pairs.of(pair) === 0
      pairs.add(pair)
      if (isNew) accounts.add(credentials.accountId)
      if (isNew && address !== undefined) addresses.add(address)
    },

    /** A 401, which nobody had to be asked for. From a network that had too many of them: true. */
    wasStrange(network = ''): boolean {
      if (limit === 0) return false
      strangers.add(network)
      return strangers.of(network) > limit
    },
  }
}
