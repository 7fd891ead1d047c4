import { createTimes } from '@pay/service'

/** The times of a real system, sixty times as long. The scripts live by the clock that is passed to them; only the leases' keys
 * also expire by Redis' own, which must never come first. */
const SCALE = 60

export const times = createTimes({
  TRY_TIMEOUT_MS: 10_000,
  TRIES: 6,
  SEND_BY_MS: 22_000,
  ANSWER_BY_MS: 55_000,
  PAYCONEX_TIMEOUT_MS: 30_000,
  REPEAT_AFTER_MS: 8000,
  ABSENCE_MARGIN_MS: 600_000,
  LEDGER_RETENTION_DAYS: 7,
  TIME_SCALE: SCALE,
})

export const TRIES = 6

export const seconds = (n: number) => n * 1000 * SCALE

/** A moment, for people: seconds of a real system since the schedule began. */
export const moment = (ms: number) => `${(ms / 1000 / SCALE).toFixed(1).padStart(7)} s`

export const TRY_TIMEOUT_MS = seconds(10)

/** How long a worker may stand still between its last check and its send: the one assumption about time (model/payment.pml). */
export const PAUSE_LIMIT_MS = seconds(595)

/** So long after it was sent PayConex has a payment and shows it, or never will. A send begins within a second of its permission. */
export const COMMIT_LIMIT_MS = times.absenceMs - seconds(2)
