import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../chaos/random.ts'
import type { Client, Told } from './client.ts'

/** What came of a number of payments. Latencies in microseconds: in a closed loop from when a payment was sent, in an open
 * loop from when it was due, so that a system that makes its callers late is charged for it. */
export type Load = {
  counts: Record<Told, number>
  /** Of approved payments. */
  latency: RecordableHistogram
  /** By how much payments were sent after they were due: the load generator's own share of the latency in an open loop. */
  lateness: RecordableHistogram
  seconds: number
}

/** Each time a payment was answered; times in ms by `performance.now()`. */
export type OnAnswer = (told: Told, dueAt: number, ms: number) => void

export type ClosedLoop = {
  client: Client
  callers: number
  seconds: number
  /** No more than that, though time is left. */
  payments?: number
}

/** So many callers, each of whom pays again as soon as he is answered, for so long. */
export async function closedLoop({ client, callers, seconds, payments = MANY }: ClosedLoop): Promise<Load> {
  const book = openBook()
  const end = performance.now() + seconds * 1000
  let begun = 0
  const call = async () => {
    while (begun++ < payments && performance.now() < end) await timed(client, performance.now(), book.note)
  }
  await Promise.all(Array.from({ length: callers }, call))
  return book.close()
}

const MANY = Number.POSITIVE_INFINITY

export type OpenLoop = {
  client: Client
  perSecond: number
  seconds?: number
  /** How many, if not for how long. */
  payments?: number
  onAnswer?: OnAnswer
}

/** Payments that come when they come (Poisson, always the same ones), however long those before them take. Resolves when the last
 * one is answered. */
export async function openLoop(options: OpenLoop): Promise<Load> {
  const { client, perSecond, seconds = MANY, payments = MANY, onAnswer } = options
  const book = openBook(onAnswer)
  const random = createRandom(ARRIVALS)
  const underWay = new Set<Promise<void>>()
  const end = performance.now() + seconds * 1000
  const gapMs = () => (-Math.log(1 - random.next()) * 1000) / perSecond
  let due = performance.now()
  for (let begun = 0; begun < payments; begun += 1) {
    due += gapMs()
    if (due >= end) break
    const early = due - performance.now()
    // A timer rounds down, and nobody may come before he is due.
    if (early > 0) await sleep(Math.ceil(early))
    book.late(performance.now() - due)
    const payment = timed(client, due, book.note).finally(() => underWay.delete(payment))
    underWay.add(payment)
  }
  await Promise.all(underWay)
  return book.close()
}

/** The seed: contenders are to meet the same arrivals. */
const ARRIVALS = 5

async function timed(client: Client, dueAt: number, note: OnAnswer): Promise<void> {
  const told = await client.pay()
  note(told, dueAt, performance.now() - dueAt)
}

function openBook(onAnswer?: OnAnswer) {
  const startedAt = performance.now()
  const counts = { approved: 0, refused: 0, failed: 0 }
  const latency = createHistogram({ figures: 3 })
  const lateness = createHistogram({ figures: 3 })
  return {
    note(told: Told, dueAt: number, ms: number): void {
      counts[told] += 1
      if (told === 'approved') latency.record(microsecondsOf(ms))
      onAnswer?.(told, dueAt, ms)
    },
    late: (ms: number) => lateness.record(microsecondsOf(ms)),
    close: (): Load => ({ counts, latency, lateness, seconds: (performance.now() - startedAt) / 1000 }),
  }
}

/** A histogram takes whole numbers from 1. */
const microsecondsOf = (ms: number) => Math.max(1, Math.round(ms * 1000))

/** A percentile in ms; NaN where nothing was measured. */
export const percentile = (histogram: RecordableHistogram, percent: number): number =>
  histogram.count === 0 ? Number.NaN : histogram.percentile(percent) / 1000
