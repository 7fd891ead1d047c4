/** The time within one process, which a test can replace. `now` is in ms of a clock that only grows; the ledger's own clock is
 * another one. `sleep` ends early, without an error, when the signal is aborted. */
export type Clock = {
  now: () => number
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** Rings once, after `ms`, unless it is called off before: what is returned does that. For waits that nearly always end early: to
 * call an alarm off costs next to nothing, where a signal and its abort take longer than all else that a wait does. */
export type Alarm = (ms: number, ring: () => void) => () => void

export const systemClock: Clock & { alarm: Alarm } = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const timer = setTimeout(wake, ms)
      signal?.addEventListener('abort', wake)

      function wake() {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
    }),
  alarm(ms, ring) {
    const timer = setTimeout(ring, ms)
    return () => clearTimeout(timer)
  },
}
