export type SteadyClock = ReturnType<typeof createSteadyClock>

export type SteadyClockOptions = { now: () => number; toleranceMs: number }

/** The ledger's clock, compared with one that cannot be set. "PayConex has had all the time it needs" is the one thing that is
 * concluded from time alone, and a ledger whose clock was set forward by an hour would conclude it at once.
 *
 * Each reading bounds how far the two clocks are apart: the ledger told its time somewhere between the question and the answer.
 * Bounds that contradict each other by more than the tolerance are a jump, and from then on the counting begins anew. An answer that
 * took longer than the tolerance leaves room for a jump that nobody would see: it can show one, but it cannot show that there was none. */
export function createSteadyClock({ now, toleranceMs }: SteadyClockOptions) {
  let since = Number.POSITIVE_INFINITY
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY

  return {
    /** The ledger's time as told in an answer to a question that was asked at `askedAt`. */
    observe(ledgerTime: number, askedAt: number): void {
      const answeredAt = now()
      const [from, to] = [ledgerTime - answeredAt, ledgerTime - askedAt]
      const isClose = to - from <= toleranceMs
      const isFirst = since === Number.POSITIVE_INFINITY
      const hasJumped = from > high + toleranceMs || to < low - toleranceMs
      if (isFirst && !isClose) return
      if (isFirst || hasJumped) since = answeredAt
      if (!isClose && !hasJumped) return
      const isApart = hasJumped || from > high || to < low
      low = isApart ? from : Math.max(low, from)
      high = isApart ? to : Math.min(high, to)
    },
    /** Whether `ms` have truly passed since a moment of the ledger's clock. It can be told of what happened while this process
     * watched, and of everything once it has watched for so long. */
    hasPassed(ms: number, ledgerMoment: number): boolean {
      const watched = now() - since
      const earliestNow = now() + low
      const isWatched = ledgerMoment >= since + high
      return isWatched ? earliestNow - ledgerMoment >= ms : watched >= ms
    },
  }
}
