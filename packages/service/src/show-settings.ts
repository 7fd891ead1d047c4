import type { RedisKind } from '@pay/payment-queue'
import { Gauge, type Registry } from 'prom-client'
import type { Stores } from './stores.ts'

/** Shows whether the two Redis servers are still set up as the promise needs them: at the start and whenever a connection comes back
 * it is checked, but a setting can be changed in between. Asked when Prometheus asks. Of a server that does not answer, or that
 * hides its settings (REDIS_CHECKED_BY_HAND), nothing is said. */
export function showSettings(registry: Registry, { wrongSettings }: Pick<Stores, 'wrongSettings'>): void {
  new Gauge({
    name: 'pay_redis_wrong_settings',
    help: 'Settings of a Redis that break the promise, as it has them right now: on the queue such as would keep cards',
    labelNames: ['server'],
    registers: [registry],
    async collect() {
      await Promise.all(KINDS.map((server) => show(this, server)))
    },
  })

  async function show(gauge: Gauge<'server'>, server: RedisKind): Promise<void> {
    const wrong = await wrongSettings(server).catch(() => undefined)
    if (wrong) gauge.set({ server }, wrong.length)
    else gauge.remove({ server })
  }
}

const KINDS: readonly RedisKind[] = ['queue', 'ledger']
