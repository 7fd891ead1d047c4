import { closedLoop } from './load.ts'
import { type Measured, measure } from './measure.ts'
import { type Chart, type Result, type Settings, short } from './result.ts'
import { onStage, warmUp } from './stage.ts'

type Size = { gateways: number; workers: number; shards: number }

/** First more workers, then more gateways, then more shards. */
const SIZES: readonly Size[] = [
  { gateways: 1, workers: 1, shards: 1 },
  { gateways: 1, workers: 2, shards: 1 },
  { gateways: 1, workers: 4, shards: 1 },
  { gateways: 2, workers: 4, shards: 1 },
  { gateways: 4, workers: 4, shards: 1 },
  { gateways: 4, workers: 4, shards: 2 },
  { gateways: 4, workers: 4, shards: 3 },
  { gateways: 4, workers: 4, shards: 4 },
]

type Point = Size & { measured: Measured }

/** How much more is done with more processes, and whether a payment costs more then, also when it lies in one of several shards (here
 * all on the same two servers). Workers wait for a PayConex that takes its
 * time: it is places that are added, not processors, of which this machine has as many as it has. */
export async function measureScaleOut(settings: Settings): Promise<Result> {
  const { seconds = 8, callers = 128, concurrency = 10, payconexMs = 100, say, startRedis } = settings
  const delays = { saleMs: payconexMs, reserveMs: 0 }
  const points: Point[] = []
  for (const size of SIZES) {
    say(`${size.gateways} gateways, ${size.workers} workers, ${size.shards} shards`)
    const measured = await onStage(
      { names: ['ours'], ...size, concurrency, delays, startRedis },
      async (_payconex, ours) => {
        const load = () => closedLoop({ client: ours.client, callers, seconds })
        await warmUp(ours)
        return measure(ours, load)
      },
    )
    points.push({ ...size, measured })
  }
  return tell(points, { seconds, callers, concurrency, payconexMs })
}

type Asked = { seconds: number; callers: number; concurrency: number; payconexMs: number }

function tell(points: readonly Point[], { seconds, callers, concurrency, payconexMs }: Asked): Result {
  return {
    title: 'Scale-out',
    notes: [
      `${callers} callers at once for ${seconds} s, WORKER_CONCURRENCY=${concurrency} and a PayConex that takes ${payconexMs} ms: one worker can make ${short((1000 * concurrency) / payconexMs)} a second.`,
    ],
    tables: [
      {
        head: [
          'gateways',
          'workers',
          'shards',
          'payments a second',
          'CPU us per payment',
          'of that Redis',
          'Redis bytes out',
          'not approved',
        ],
        rows: points.map(({ gateways, workers, shards, measured: { approvedPerSecond, perPayment, load } }) => [
          String(gateways),
          String(workers),
          String(shards),
          short(approvedPerSecond),
          short(perPayment.cpuInAll),
          short(perPayment.redis.cpuMicroseconds),
          short(perPayment.redis.bytesOut),
          String(load.counts.refused + load.counts.failed),
        ]),
      },
    ],
    charts: [
      chart('throughput', 'payments a second', points, ({ approvedPerSecond }) => approvedPerSecond),
      chart('cost', 'CPU microseconds per payment', points, ({ perPayment }) => perPayment.cpuInAll),
    ],
    goals: [],
    figures: points.map(
      ({ gateways, workers, shards, measured: { approvedPerSecond, perPayment, residentBytes } }) => ({
        ...{ gateways, workers, shards, approvedPerSecond, perPayment, residentBytes },
      }),
    ),
  }
}

const chart = (name: string, title: string, points: readonly Point[], of: (measured: Measured) => number): Chart => ({
  name,
  title,
  kind: 'bars',
  x: '',
  y: title,
  points: points.map(({ gateways, workers, shards, measured }) => ({
    x: shards === 1 ? `${gateways} + ${workers}` : `${shards} shards`,
    y: of(measured),
    series: 'gateways + workers',
  })),
})
