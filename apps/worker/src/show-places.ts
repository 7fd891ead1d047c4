import { Gauge, type Registry } from 'prom-client'

/** `busy`: how many payments are in work, in each shard. */
export type Places = { all: number; busy: () => readonly number[] }

/** Shows how full a worker is. */
export function showPlaces(registry: Registry, { all, busy }: Places): void {
  new Gauge({
    name: 'pay_worker_places',
    help: 'Payments that can be in work here at once (all), and that are (busy)',
    labelNames: ['which'],
    registers: [registry],
    collect() {
      this.set({ which: 'all' }, all)
      this.set(
        { which: 'busy' },
        busy().reduce((sum, many) => sum + many, 0),
      )
    },
  })
}
