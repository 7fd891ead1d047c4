import { styleText } from 'node:util'
import type { RunningRedis } from '../redis/redis.ts'
import type { Stack } from '../stack/stack.ts'

/** Where everything listens. */
export function showStack({ gateways, workers, simulator, queue, ledger, env }: Stack): string {
  const payconex = simulator
    ? ['simulator', `${simulator.url}  (its ledger, live)`]
    : ['PayConex', env.PAYCONEX_URL ?? '']
  const rows = [
    ...gateways.map(({ endpoint }) => ['Twilio posts to', styleText('cyan', endpoint)]),
    ...[...gateways, ...workers].map(({ name, opsUrl }) => [name, `${opsUrl}/readyz /metrics`]),
    payconex,
    ['queue Redis', showRedis(queue)],
    ['ledger Redis', showRedis(ledger)],
  ]
  return rows.map(([name = '', place = '']) => `  ${name.padEnd(17)}${place}`).join('\n')
}

/** The URL of a Redis that was given may hold a password. */
const showRedis = ({ url, source }: RunningRedis) => (source === 'given' ? 'as given' : `${url}  (${source})`)
