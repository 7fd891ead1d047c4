/** When this gateway first saw a payment that it could not look up, in ms of a clock that only grows: `arrivedAt`, unless it
 * came before. Forgotten `rememberMs` later; bounded, because a ledger that is away must not fill the memory.
 *
 * Kept in two halves, of which the older one goes as a whole, when its time has passed or there is no more room. (To delete the
 * oldest of a `Map` for each that comes would be slow: it walks over all that were deleted.) */
export function createFirstSeen({ now, rememberMs, limit = 100_000 }: FirstSeenOptions) {
  let older = new Map<string, number>()
  let newer = new Map<string, number>()
  let since = now()

  function remember(key: string, arrivedAt: number): void {
    const isFull = newer.size >= limit / 2 && !newer.has(key)
    if (isFull || now() - since >= rememberMs) {
      older = newer
      newer = new Map()
      since = now()
    }
    newer.set(key, arrivedAt)
  }

  return (key: string, arrivedAt = now()): number => {
    const known = newer.get(key) ?? older.get(key)
    if (known !== undefined && now() - known < rememberMs) return known
    remember(key, arrivedAt)
    return arrivedAt
  }
}

type FirstSeenOptions = { now: () => number; rememberMs: number; limit?: number }
