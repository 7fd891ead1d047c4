export type ServiceMeter = ReturnType<typeof createServiceMeter>

// Old enough to be steady, young enough to notice within a second or two that PayConex has become slow.
const REMEMBERED = 50

/** How many jobs are in work, and how long one takes: an exponentially weighted mean of those that have ended, whatever came
 * of them, for each took a place for that long. When PayConex becomes slow, those that take longest end last; so the mean is
 * never less than how long those in work have been so already. */
export function createServiceMeter(now: () => number) {
  let busy = 0
  let sumOfStarts = 0
  let ended = 0
  let mean: number | undefined

  function note(tookMs: number): void {
    ended += 1
    mean = (mean ?? 0) + (tookMs - (mean ?? 0)) / Math.min(ended, REMEMBERED)
  }

  const meanAge = () => (busy === 0 ? 0 : now() - sumOfStarts / busy)

  return {
    /** The same work, timed. */
    timed:
      <Given extends unknown[]>(work: (...given: Given) => Promise<void>) =>
      async (...given: Given): Promise<void> => {
        const startedAt = now()
        busy += 1
        sumOfStarts += startedAt
        try {
          await work(...given)
        } finally {
          busy -= 1
          sumOfStarts = busy === 0 ? 0 : sumOfStarts - startedAt
          note(now() - startedAt)
        }
      },
    busy: () => busy,
    /** Undefined: nothing has been in work yet. */
    meanServiceMs: (): number | undefined =>
      mean === undefined && busy === 0 ? undefined : Math.round(Math.max(mean ?? 0, meanAge())),
  }
}
