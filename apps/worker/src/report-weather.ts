import type { Report, Weather, WeatherStation } from '@pay/payment-queue'

export type ReportOptions = {
  station: WeatherStation
  everyMs: number
  report: () => Report
  /** What this worker hears in return. */
  onWeather: (weather: Weather) => void
}

/** Tells gateways and the other workers how this one is, every so often and whenever it is asked to. While the queue is away
 * nobody hears it, and nobody needs to. */
export function reportWeather({ station, everyMs, report, onWeather }: ReportOptions) {
  let hasLeft = false
  const tell = () => void exchange().catch(() => undefined)
  const telling = setInterval(tell, everyMs)
  tell()

  async function exchange(): Promise<void> {
    if (hasLeft) return
    const weather = await station.report(report())
    if (!hasLeft) onWeather(weather)
  }

  return {
    tell,
    async stop(): Promise<void> {
      hasLeft = true
      clearInterval(telling)
      await station.leave().catch(() => undefined)
    },
  }
}
