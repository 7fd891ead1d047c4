export type RecentCountsOptions = {
  windowMs: number
  /** A clock that only grows. */
  now: () => number
  /** Of so many names at most in a window. */
  limit?: number
}

/** How often something happened within the last `windowMs`, by name: what was counted in the window before fades out as this one
 * passes. When there is no room for another name, this window ends early. (A `Map` from which the oldest is deleted for each that
 * comes would be slow: it walks over all that were deleted.) */
export function createRecentCounts({ windowMs, now, limit = 10_000 }: RecentCountsOptions) {
  let before = new Map<string, number>()
  let latest = new Map<string, number>()
  let since = now()

  function turn({ isFull = false } = {}): void {
    const passedMs = now() - since
    if (passedMs < windowMs && !isFull) return
    before = passedMs < 2 * windowMs ? latest : new Map()
    latest = new Map()
    since = isFull || passedMs >= 2 * windowMs ? now() : since + windowMs
  }

  return {
    add(name: string): void {
      turn()
      if (latest.size >= limit && !latest.has(name)) turn({ isFull: true })
      latest.set(name, (latest.get(name) ?? 0) + 1)
    },
    of(name: string): number {
      turn()
      return (latest.get(name) ?? 0) + (before.get(name) ?? 0) * (1 - (now() - since) / windowMs)
    },
    size: () => before.size + latest.size,
  }
}
