import type { Weather, WeatherStation } from '@pay/payment-queue'
import type { Clock, Times } from '@pay/service'
import type { Sky } from './admission.ts'
import type { Capacity } from './lanes.ts'

export type WatchOptions = {
  station: WeatherStation
  times: Pick<Times, 'weatherMs' | 'weatherLeaseMs'>
  clock: Clock
  /** Called after each look. */
  onLook?: () => void
}

export type WeatherWatch = ReturnType<typeof watchWeather>

/** Looks at the weather every so often, not once per payment, and remembers what a decision needs. While the queue does not
 * answer, what it said last is believed for as long as a report counts; then nothing is known. */
export function watchWeather({ station, times, clock, onLook = () => undefined }: WatchOptions) {
  const { now, sleep } = clock
  const stopped = new AbortController()
  let latest: Weather | undefined
  let capacity: Capacity | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let workerSeenAt = now()
  let queuedSince = 0
  const watching = watch()

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      await look()
      onLook()
      await sleep(times.weatherMs, stopped.signal)
    }
  }

  /** A queue that does not answer says nothing about workers, and one that has just come back has yet to hear from them. */
  async function look(): Promise<void> {
    const queuedBefore = queuedSince
    const said = await station.report({ role: 'gateway' }).catch(() => undefined)
    if (!said || said.workers > 0) workerSeenAt = now()
    if (!said) return
    latest = said
    if (said.concurrency > 0) capacity = said
    readAt = now()
    queuedSince -= queuedBefore
  }

  function current(): Weather | undefined {
    return now() - readAt < times.weatherLeaseMs ? latest : undefined
  }

  return {
    /** What is known, but for the lane of the payment's account. */
    sky: (): Omit<Sky, 'lane'> => ({
      weather: current(),
      noWorkerForMs: now() - workerSeenAt,
      queuedSince,
    }),
    /** The last that is known, however long ago: without it a gap in the news would open all lanes to the queue at once.
     * Undefined: no worker was ever seen. */
    capacity: (): Capacity | undefined => capacity,
    /** To be called for each job put on the queue. */
    queued: () => {
      queuedSince += 1
    },
    async stop(): Promise<void> {
      stopped.abort()
      await watching
      await station.leave().catch(() => undefined)
    },
  }
}
