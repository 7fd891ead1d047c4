import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.ts'
import type { Contender, Kind } from './contender.ts'
import { openLoop, percentile } from './load.ts'
import { readMemory } from './measure.ts'
import { atMost, type Goal, mebibytes, milliseconds, type Result, type Settings, short } from './result.ts'
import { onStage, warmUp } from './stage.ts'

const MEMORY_LIMIT = 512 * 1024 * 1024
/** What Node takes by itself of the 768 MiB that docker-compose.yml and deploy/kubernetes give a container. */
const HEAP_MEBIBYTES = 384
const LATE_LIMIT_MS = 500
const LOOK_MS = 500

type Found = {
  counts: { approved: number; refused: number; failed: number }
  most: number
  p50: number
  p99: number
  lateMs: number
  peak: Partial<Record<Kind, number>>
}

/** Many payments that wait at once on one gateway and one worker. They come spread over as long as PayConex takes: when the last
 * one comes the first one is about to be answered. The ids are reserved at once, whatever the payment takes. */
export async function measureInFlight(settings: Settings): Promise<Result> {
  const { payments = 10_000, payconexMs = 20_000, seconds = payconexMs / 1000, concurrency = 10_000, say } = settings
  const { startRedis } = settings
  const options = { names: ['ours'], concurrency, heapMebibytes: HEAP_MEBIBYTES, startRedis } as const
  const found = await onStage(options, async (payconex, ours) => {
    say('warming up ...')
    await warmUp(ours)
    await payconex.delay({ saleMs: payconexMs, reserveMs: 0 })
    say(`${payments} payments over ${seconds} s, each of which takes PayConex ${payconexMs} ms`)
    return waitAtOnce(ours, { perSecond: payments / seconds, payments })
  })
  return tell(found, { payments, payconexMs, seconds, concurrency })
}

async function waitAtOnce(ours: Contender, arrivals: { perSecond: number; payments: number }): Promise<Found> {
  const ended = new AbortController()
  const peak = watchMemory(ours, ended.signal)
  const { client, most } = countWaiting(ours.client)
  const load = await openLoop({ client, ...arrivals })
  ended.abort()
  return {
    counts: load.counts,
    most: most(),
    p50: percentile(load.latency, 50),
    p99: percentile(load.latency, 99),
    lateMs: percentile(load.lateness, 99),
    peak: await peak,
  }
}

/** The same client, and how many of its payments waited at once at most. */
function countWaiting(client: Client) {
  let waiting = 0
  let most = 0
  const pay = async () => {
    waiting += 1
    most = Math.max(most, waiting)
    return client.pay().finally(() => {
      waiting -= 1
    })
  }
  return { client: { ...client, pay }, most: () => most }
}

/** The most that each kind was seen to have. */
async function watchMemory(ours: Contender, over: AbortSignal): Promise<Partial<Record<Kind, number>>> {
  let peak = await readMemory(ours)
  while (!over.aborted) {
    await sleep(LOOK_MS, undefined, { signal: over }).catch(() => undefined)
    const now = await readMemory(ours)
    const kinds = Object.keys(now) as Kind[]
    peak = Object.fromEntries(kinds.map((kind) => [kind, Math.max(now[kind] ?? 0, peak[kind] ?? 0)]))
  }
  return peak
}

type Asked = { payments: number; payconexMs: number; seconds: number; concurrency: number }

function tell(found: Found, { payments, payconexMs, seconds, concurrency }: Asked): Result {
  const { counts, most, p50, p99, lateMs, peak } = found
  const isAllApproved = counts.refused + counts.failed === 0
  const goals: Goal[] = [
    {
      figure: `${payments.toLocaleString('en-US')} in flight, all approved`,
      goal: 'all',
      value: `${counts.approved} approved, ${counts.refused} refused, ${counts.failed} without a true answer`,
      isMet: isAllApproved,
    },
    atMost('in flight, p99', payconexMs + LATE_LIMIT_MS, p99, milliseconds),
    atMost('in flight, gateway', MEMORY_LIMIT, peak.gateway ?? Number.NaN, mebibytes),
    atMost('in flight, worker', MEMORY_LIMIT, peak.worker ?? Number.NaN, mebibytes),
  ]
  return {
    title: 'In flight: many payments waiting at once',
    notes: [
      `${payments.toLocaleString('en-US')} payments spread over ${seconds} s, each of which takes PayConex ${short(payconexMs / 1000)} s (an id is reserved at once); 1 gateway, 1 worker with WORKER_CONCURRENCY=${concurrency}. Callers wait until they are answered, each on a connection of his own, where Twilio would call again after 10 s. All times of the service are those it ships with, and gateway and worker have the heap that Node takes in the containers we ship (${HEAP_MEBIBYTES} MiB of 768).`,
    ],
    tables: [
      {
        head: ['approved', 'most at once', 'p50', 'p99', 'callers late by (p99)', ...Object.keys(peak)],
        rows: [
          [
            String(counts.approved),
            String(most),
            milliseconds(p50),
            milliseconds(p99),
            milliseconds(lateMs),
            ...Object.values(peak).map(mebibytes),
          ],
        ],
      },
    ],
    charts: [],
    goals,
    figures: found,
  }
}
