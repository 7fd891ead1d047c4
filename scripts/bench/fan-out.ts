import type { ContenderName } from './contender.ts'
import { openLoop } from './load.ts'
import { type Measured, measure } from './measure.ts'
import type { RedisCounts } from './redis-meter.ts'
import { atMost, type Chart, type Result, type Settings, short } from './result.ts'
import { onStage, warmUp } from './stage.ts'

const SIZES = [1, 2, 4, 8]
/** What it costs Redis does not depend on how warm the others are. */
const WARM_PAYMENTS = 500
const NAMES = ['plain', 'ours'] as const

const CASES = NAMES.flatMap((name) => SIZES.map((gateways) => ({ name, gateways })))

type Point = { name: ContenderName; gateways: number; measured: Measured }

/** More and more gateways, one worker, and always the same load: does a payment cost Redis more the more gateways there are? */
export async function measureFanOut(settings: Settings): Promise<Result> {
  const { seconds = 8, rate = 150, say, startRedis } = settings
  const points: Point[] = []
  for (const { name, gateways } of CASES) {
    say(`${name}, gateways: ${gateways}`)
    const measured = await onStage({ names: [name], gateways, startRedis }, async (_payconex, contender) => {
      await warmUp(contender, WARM_PAYMENTS)
      return measure(contender, ({ client }) => openLoop({ client, perSecond: rate, seconds }))
    })
    points.push({ name, gateways, measured })
  }
  return tell(points, `${short(rate)} payments a second for ${seconds} s, spread evenly over the gateways; 1 worker.`)
}

type Figure = readonly [string, (counts: RedisCounts) => number]

const BYTES_OUT: Figure = ['bytes out', ({ bytesOut }) => bytesOut]
const CPU: Figure = ['CPU us', ({ cpuMicroseconds }) => cpuMicroseconds]
const FIGURES: readonly Figure[] = [
  BYTES_OUT,
  ['bytes in', ({ bytesIn }) => bytesIn],
  ['commands', ({ commands }) => commands],
  CPU,
]

function tell(points: readonly Point[], note: string): Result {
  const at = (name: ContenderName, gateways: number, [, of]: Figure): number => {
    const point = points.find((each) => each.name === name && each.gateways === gateways)
    return point ? of(point.measured.perPayment.redis) : Number.NaN
  }
  const chart = (file: string, figure: Figure): Chart => ({
    name: file,
    title: `Redis, ${figure[0]} per payment`,
    kind: 'lines',
    x: 'gateways',
    y: figure[0],
    points: NAMES.flatMap((name) =>
      SIZES.map((gateways) => ({ x: gateways, y: at(name, gateways, figure), series: name })),
    ),
  })
  return {
    title: 'Fan-out: many gateways',
    notes: [note, 'What gateways and workers say on their own, once or four times a second each, is in these figures.'],
    tables: [
      {
        head: ['Redis, per payment', 'gateways', ...FIGURES.map(([title]) => title), 'not approved'],
        rows: points.map(({ name, gateways, measured: { load } }) => [
          name,
          String(gateways),
          ...FIGURES.map((figure) => short(at(name, gateways, figure))),
          String(load.counts.refused + load.counts.failed),
        ]),
      },
    ],
    charts: [chart('bytes-out', BYTES_OUT), chart('cpu', CPU)],
    goals: [
      atMost(
        'Redis bytes out per payment, 8 gateways / 1 gateway',
        1.1,
        at('ours', 8, BYTES_OUT) / at('ours', 1, BYTES_OUT),
      ),
    ],
    figures: points.map(({ name, gateways, measured }) => ({ name, gateways, ...measured.perPayment.redis })),
  }
}
