import { Gauge, type Registry } from 'prom-client'

/** Both places where a payment may wait before a worker has it, each with the age in ms of what has waited longest. */
export type Places = { lane: () => number; queue: () => Promise<number> }

/** Shows how long the payment that waits longest has waited for a worker: by this more workers are started. Asked when Prometheus
 * asks, and not otherwise. While the queue is away nothing is said of it: 0 would mean that all is well. */
export function measureOldestWaiting(registry: Registry, { lane, queue }: Places): void {
  new Gauge({
    name: 'pay_gateway_oldest_waiting_seconds',
    help: 'Age of the payment that has waited longest: lane, for its account’s turn in this gateway; queue, for a worker',
    labelNames: ['where'],
    registers: [registry],
    async collect() {
      this.set({ where: 'lane' }, lane() / 1000)
      const queued = await queue().catch(() => undefined)
      if (queued === undefined) this.remove({ where: 'queue' })
      else this.set({ where: 'queue' }, queued / 1000)
    },
  })
}
