/** When this gateway first saw a payment that it could not look up, in ms of a clock that only grows: `arrivedAt`, unless it
 * came before. Forgotten `rememberMs` later; bounded, because a ledger that is away must not fill the memory. */
export function createFirstSeen({ now, rememberMs, limit = 100_000 }: FirstSeenOptions) {
  const seen = new Map<string, number>()
  return (key: string, arrivedAt = now()): number => {
    const known = seen.get(key)
    if (known !== undefined && now() - known < rememberMs) return known
    seen.delete(key)
    const [oldest] = seen.keys()
    if (seen.size >= limit && oldest !== undefined) seen.delete(oldest)
    seen.set(key, arrivedAt)
    return arrivedAt
  }
}

type FirstSeenOptions = { now: () => number; rememberMs: number; limit?: number }
