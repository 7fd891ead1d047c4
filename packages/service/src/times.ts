import { z } from 'zod'
import { wholeNumber } from './environment.ts'

export const SECOND = 1000
const MINUTE = 60 * SECOND

// A timer of Node's cannot be set for longer than some 24 days.
const DAY = 24 * 60 * MINUTE

const milliseconds = (fallback: number) => wholeNumber(fallback, { min: 1, max: DAY })

/** The variables of time, in milliseconds of the ledger's clock, counted from the first try of an attempt. */
export const timeVariables = {
  TRY_TIMEOUT_MS: milliseconds(10 * SECOND),
  TRIES: wholeNumber(6, { min: 1, max: 100 }),
  SEND_BY_MS: milliseconds(22 * SECOND),
  ANSWER_BY_MS: milliseconds(55 * SECOND),
  PAYCONEX_TIMEOUT_MS: milliseconds(30 * SECOND),
  REPEAT_AFTER_MS: milliseconds(8 * SECOND),
  ABSENCE_MARGIN_MS: milliseconds(10 * MINUTE),
  LEDGER_RETENTION_DAYS: wholeNumber(7, { min: 1, max: 3650 }),
  TIME_SCALE: z
    .string()
    .default('1')
    .refine((text) => /^\d*\.?\d+$/.test(text) && Number(text) > 0 && Number(text) <= 1, {
      message: 'must be a number above 0 and at most 1',
    })
    .transform(Number),
}

type TimeVariables = z.output<z.ZodObject<typeof timeVariables>>

/** Why these times cannot be used together, or undefined. A call to PayConex that starts at the last moment must be over
 * before the caller is answered, and that must be while Twilio still listens. */
export function contradictionOfTimes(env: TimeVariables): string | undefined {
  if (env.SEND_BY_MS + env.PAYCONEX_TIMEOUT_MS > env.ANSWER_BY_MS) {
    return 'SEND_BY_MS + PAYCONEX_TIMEOUT_MS must not exceed ANSWER_BY_MS'
  }
  if (env.ANSWER_BY_MS > env.TRIES * env.TRY_TIMEOUT_MS) return 'ANSWER_BY_MS must not exceed TRIES x TRY_TIMEOUT_MS'
  return undefined
}

/** Every duration of the system, in milliseconds, already scaled. TIME_SCALE shortens all of them together, so that a
 * test lives through the same order of events in less time. */
export type Times = ReturnType<typeof createTimes>

export function createTimes(env: TimeVariables) {
  const scaled = (ms: number) => Math.max(1, Math.round(ms * env.TIME_SCALE))
  return {
    /** How long a finished payment is remembered; the one time that is not scaled. */
    retentionMs: env.LEDGER_RETENTION_DAYS * DAY,
    /** Up to here an accepted payment may pass the fence. */
    sendByMs: scaled(env.SEND_BY_MS),
    /** Here a gateway answers `unconfirmed` rather than waiting on. */
    answerByMs: scaled(env.ANSWER_BY_MS),
    /** How long one call to PayConex may take. */
    payconexTimeoutMs: scaled(env.PAYCONEX_TIMEOUT_MS),
    /** How long one question to TSAPI may take. It moves no money and can be asked again, so not for long. */
    questionTimeoutMs: scaled(5 * SECOND),
    /** How long a connection to PayConex (DNS, TCP, TLS) may take; what fails here was never sent. */
    connectTimeoutMs: scaled(5 * SECOND),
    /** So long after a send PayConex has either committed it or never will, and no worker is still about to send. */
    absenceMs: scaled(env.PAYCONEX_TIMEOUT_MS + env.ABSENCE_MARGIN_MS),
    /** A payment that PayConex does not know is sent once more so long after it was sent; two look-ups that prove an absence
     * are so far apart. */
    repeatAfterMs: scaled(env.REPEAT_AFTER_MS),
    /** After this time Twilio does not try again. */
    listeningMs: scaled(env.TRIES * env.TRY_TIMEOUT_MS),
    /** Twilio tries again at once when a try has ended: where nobody has waited for so long, nobody will. */
    abandonedMs: scaled(3 * SECOND),
    /** SEAL_KEYS_FILE is read anew this often. */
    renewKeysMs: scaled(10 * SECOND),
    /** What was seen of the ledger is noted on the queue's server so often. */
    noteMs: scaled(1 * SECOND),
    /** Replicas have so long to write a permission to send to their disks. */
    durableMs: 1 * SECOND,
    /** Between the clocks of a process and of the ledger, more than this is a jump. */
    clockToleranceMs: scaled(1 * SECOND),
    /** A request to PayConex starts within this time of asking for the fence, or the fence is asked again. */
    sendWindowMs: scaled(1 * SECOND),
    /** A worker renews its lease this often ... */
    leaseRenewMs: scaled(1 * SECOND),
    /** ... and counts as silent when it has not for this long. */
    leaseMs: scaled(5 * SECOND),
    /** The sweeper looks for due payments this often. */
    sweepMs: scaled(1 * SECOND),
    /** Whoever holds the sweeper's lease counts what is on the ledger this often, for Prometheus. */
    surveyMs: Math.max(1000, scaled(15 * SECOND)),
    /** A gateway reads again what a waiting try may have missed, first after this time, then ever more rarely. */
    rereadMs: scaled(1 * SECOND),
    /** A gateway looks at the weather this often ... */
    weatherMs: Math.max(50, scaled(250)),
    /** ... to which a worker contributes this often; what it said counts for `weatherLeaseMs`. */
    weatherReportMs: Math.max(200, scaled(1 * SECOND)),
    weatherLeaseMs: Math.max(1000, scaled(5 * SECOND)),
    /** PayConex counts as away when it has answered nobody for this long ... */
    circuitSilenceMs: scaled(5 * SECOND),
    /** ... and is then asked after these pauses whether it is back: the last one repeats. */
    circuitProbeMs: [1 * SECOND, 2 * SECOND, 4 * SECOND].map(scaled),
    /** A Redis connection is asked this often whether its server is still there. */
    heartbeatMs: Math.max(500, scaled(1 * SECOND)),
    /** A gateway that was told to end is known to be leaving for so long before it takes no connections any more. */
    leavingMs: Math.max(250, scaled(2 * SECOND)),
    /** Pause before a server that did not answer is asked again. */
    ledgerRetryMs: scaled(250),
    queueRetryMs: scaled(250),
    /** A queue that was lost so short a time ago is waited for: a server that is started anew is back by then. */
    queuePatienceMs: scaled(4 * SECOND),
    /** An id that was reserved ahead of need is used for so long. PayConex does not say how long it keeps one; a repeat needs it for
     * longer than this already ... */
    idAheadMs: scaled(10 * SECOND),
    /** ... while PayConex has given a sign of life within this time; otherwise the reservation is the question whether it is there. */
    signOfLifeMs: scaled(1 * SECOND),
    /** After so long it is seen how many of them were not needed ... */
    idsReviewMs: scaled(2 * SECOND),
    /** ... and none is asked for when one was asked for in vain. */
    idsPauseMs: scaled(1 * SECOND),
    /** Pauses between tries to connect to PayConex, and between look-ups: the last one repeats. */
    connectRetryMs: [100, 200, 400, 800].map(scaled),
    lookUpAfterMs: [500, 1000, 2000, 4000].map(scaled),
    /** When the sweeper looks up an unconfirmed payment again; after the last it goes to `review`. */
    unconfirmedScheduleMs: UNCONFIRMED_SCHEDULE_MS.map(scaled),
    /** BullMQ's lock: a worker that died is noticed after this long (the ledger keeps a re-run job from charging twice). */
    jobLockMs: Math.max(500, scaled(10 * SECOND)),
  }
}

const HOUR = 60 * MINUTE
const UNCONFIRMED_SCHEDULE_MS = [
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  20 * SECOND,
  40 * SECOND,
  2 * MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  DAY,
  DAY,
  DAY,
  DAY,
  DAY,
]
