import type { Weather } from '@pay/payment-queue'
import { Gauge, type Registry } from 'prom-client'

/** Shows what this gateway knows of the queue and of those who work on it; nothing while it knows nothing. All gateways know the
 * same. */
export function showWeather(registry: Registry, weather: () => Weather | undefined): void {
  const show = (name: string, help: string, of: (known: Weather) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const known = weather()
        if (known) this.set(of(known))
        else this.remove()
      },
    })
  show('pay_gateway_queue_jobs', 'Payments that wait on the queue for a worker', ({ waitingJobs }) => waitingJobs)
  show('pay_gateway_workers', 'Workers that have said lately how they are', ({ workers }) => workers)
}
