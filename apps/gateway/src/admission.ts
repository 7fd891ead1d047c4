import type { Weather } from '@pay/payment-queue'

/** What this gateway knows when a payment asks to be taken. */
export type Sky = {
  /** Undefined: not known, because nobody could be asked for a while. */
  weather: Weather | undefined
  /** How long this gateway has seen no worker, by its own clock; 0 while it sees one. */
  noWorkerForMs: number
  /** Jobs that this gateway has queued since it asked about the weather. */
  queuedSince: number
  /** The payments of the same account that wait in this gateway, and how many of them have their turn at a time. */
  lane: { waiting: number; atOnce: number }
}

export type AdmissionTimes = { sendByMs: number; weatherLeaseMs: number }

export type Admission = 'go' | 'no worker' | 'circuit open' | 'queue too long' | 'account busy'

// The time that a job takes is a mean of what was; a wait predicted from it may well be a third longer.
const BELIEVED = 0.75

/** Whether a new payment can still be sent in time, as far as can be foreseen. Whoever is refused hears so at once rather than
 * at SEND_BY. In doubt it goes: SEND_BY bounds the wait in any case. `account busy`: it is not what waits on the queue that
 * takes too long, but what waits here of its own account, which gets no more than its share. */
export function admissible({ weather, noWorkerForMs, queuedSince, lane }: Sky, times: AdmissionTimes): Admission {
  if (!weather) return 'go'
  if (weather.workers === 0) return noWorkerForMs >= times.weatherLeaseMs ? 'no worker' : 'go'
  if (weather.allCircuitsOpen) return 'circuit open'
  const longestMs = BELIEVED * times.sendByMs
  // The others have queued about as much as this gateway since the weather was read.
  const queueMs = turnsMs(weather.waitingJobs + queuedSince * weather.gateways, weather, weather.concurrency)
  if (queueMs > longestMs) return 'queue too long'
  return queueMs + turnsMs(lane.waiting, weather, lane.atOnce) > longestMs ? 'account busy' : 'go'
}

/** How long it takes until so many have had their turn. */
const turnsMs = (many: number, { meanServiceMs }: Weather, atOnce: number) =>
  many === 0 ? 0 : (many * meanServiceMs) / atOnce
