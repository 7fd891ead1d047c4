import { shardNames } from '@pay/ledger'
import { lookAtWeather, type ShardConnections, type Weather, weatherOver } from '@pay/payment-queue'
import { createTimes, isLoopback, SECOND } from '@pay/service'
import { type Finding, notChecked, ok, warning } from './finding.ts'
import type { Settings } from './settings.ts'
import { look } from './within.ts'

const LOOK_MS = 3 * SECOND

/** Who is at work, as they tell each other on the queue. */
export function examineFleet(queue: ShardConnections, settings: Settings): Promise<Finding[]> {
  const { weatherLeaseMs: leaseMs } = createTimes(settings)
  return look('fleet', LOOK_MS, async () => {
    const shards = shardNames(queue.length)
    const told = shards.map((shard, nth) => lookAtWeather({ redis: queue[nth] ?? queue[0], leaseMs, shard }))
    return [judgeWeather(weatherOver(await Promise.all(told)))]
  })
}

export function judgeWeather({ gateways, workers, busy, concurrency, waitingJobs, allCircuitsOpen }: Weather): Finding {
  const seen = `${gateways} gateways, ${workers} workers, ${busy} of ${concurrency} places busy, ${waitingJobs} jobs wait`
  if (gateways + workers === 0 && waitingJobs === 0) return ok('fleet', 'nobody is at work yet, nothing waits')
  if (workers === 0) return warning('fleet', seen, 'start a worker: callers hear not_processed until then')
  if (allCircuitsOpen) return warning('fleet', `${seen}; no worker reaches PayConex`, 'see the findings about PayConex')
  if (gateways === 0) return warning('fleet', seen, 'start a gateway, or compare QUEUE_REDIS_URL of both')
  return ok('fleet', seen)
}

/** The operators' doors of processes on this machine, where they can be reached. */
export async function examineDoors(env: NodeJS.ProcessEnv, { OPS_HOST }: Settings): Promise<Finding[]> {
  const host = isLoopback(OPS_HOST) ? OPS_HOST.replace(/^::1$/, '[::1]') : '127.0.0.1'
  const ports = env.OPS_PORT ? [env.OPS_PORT] : ['9090', '9091']
  const found = await Promise.all(ports.map((port) => askDoor(`http://${host}:${port}/readyz`)))
  if (found.some((finding) => finding !== undefined)) return found.filter((finding) => finding !== undefined)
  return [notChecked(DOORS, `none of our processes answers here (${host}, port ${ports.join(' or ')})`)]
}

const DOORS = 'ready here'
const DOOR_MS = 2 * SECOND
const SHOWN = 100

async function askDoor(url: string): Promise<Finding | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOOR_MS), redirect: 'manual' })
    const said = (await answer.text()).slice(0, SHOWN).split('\n')[0] ?? ''
    if (!/^(not )?ready/.test(said)) return notChecked(DOORS, `${url} is no door of ours`)
    if (answer.ok && said === 'ready') return ok(DOORS, `${url} says: ready`)
    return warning(DOORS, `${url} says: ${said}`, 'see what it names, and docs/runbook.md')
  } catch {
    return undefined
  }
}
