import { LOAD_SHARE } from './comparison.ts'
import type { Contender, Kind } from './contender.ts'
import { type Load, openLoop, percentile } from './load.ts'
import { measure } from './measure.ts'
import { type Goal, mebibytes, milliseconds, type Result, type Settings, short } from './result.ts'
import { capacityOf, onStage, warmUp } from './stage.ts'
import { spreadOf, sum } from './statistics.ts'

/** One part of the time. */
type Slice = {
  minute: number
  load: Load
  /** CPU microseconds per payment. */
  cost: number
  memory: Partial<Record<Kind, number>>
  ledgerBytes: number
  keys: number
}

const SLICES = 30
/** The last third of the time may be so much above the middle third. */
const FLAT = 1.1

/** A load that it can well carry, for long. Does anything grow that should not? */
export async function measureSoak(settings: Settings): Promise<Result> {
  const { minutes = 30, callers = 64, payconexMs = 0, say, startRedis } = settings
  const seconds = (minutes * 60) / SLICES
  const delays = { saleMs: payconexMs, reserveMs: payconexMs }
  return onStage({ names: ['ours'], delays, startRedis }, async (_payconex, ours) => {
    say('warming up ...')
    await warmUp(ours)
    const rate = settings.rate ?? LOAD_SHARE * (await capacityOf(ours, callers, Math.min(15, seconds)))
    const slices: Slice[] = []
    for (let nth = 0; nth < SLICES; nth += 1) {
      const slice = { minute: ((nth + 1) * seconds) / 60, ...(await measureSlice(ours, { perSecond: rate, seconds })) }
      slices.push(slice)
      say(`minute ${short(slice.minute)} of ${minutes}: p99 ${milliseconds(percentile(slice.load.latency, 99))}`)
    }
    return tell(slices, { minutes, rate, isRateGiven: settings.rate !== undefined })
  })
}

async function measureSlice(ours: Contender, arrivals: { perSecond: number; seconds: number }) {
  const { load, perPayment, residentBytes } = await measure(ours, ({ client }) => openLoop({ client, ...arrivals }))
  const ledger = ours.redises.find(({ kind }) => kind === 'ledger Redis')?.meter
  return {
    load,
    cost: perPayment.cpuInAll,
    memory: residentBytes,
    ledgerBytes: (await ledger?.usedBytes()) ?? Number.NaN,
    keys: await countKeys(ledger?.client),
  }
}

/** Of each payment two stay: its record, and PayConex' id of it. */
async function countKeys(ledger: Contender['redises'][number]['meter']['client'] | undefined): Promise<number> {
  const info = (await ledger?.info('keyspace')) ?? ''
  return Number(/keys=(\d+)/.exec(info)?.[1] ?? Number.NaN)
}

type Asked = { minutes: number; rate: number; isRateGiven: boolean }

function tell(slices: readonly Slice[], { minutes, rate, isRateGiven }: Asked): Result {
  const series = (name: string, of: (slice: Slice) => number) =>
    slices.map((slice) => ({ x: slice.minute, y: of(slice), series: name }))
  const kinds = Object.keys(slices[0]?.memory ?? {}) as Kind[]
  const third = (nth: number) => slices.slice((nth * SLICES) / 3, ((nth + 1) * SLICES) / 3)
  const median = (part: readonly Slice[], of: (slice: Slice) => number) => spreadOf(part.map(of)).median
  const flat = (figure: string, of: (slice: Slice) => number, write: (value: number) => string): Goal => {
    const [before, after] = [median(third(1), of), median(third(2), of)]
    return {
      figure: `${figure}: last third of the time / middle third`,
      goal: `<= ${FLAT}`,
      value: `${short(after / before)} (${write(before)}, then ${write(after)})`,
      isMet: after <= FLAT * before,
    }
  }
  const unpaid = sum(slices.map(({ load: { counts } }) => counts.refused + counts.failed))
  const growth = (slice: Slice) => slice.ledgerBytes / slice.keys
  return {
    title: 'Soak: a steady load for long',
    notes: [
      `1 gateway, 1 worker, ${short(rate)} payments a second for ${short(minutes)} minutes${isRateGiven ? '' : ', 70 % of what they did here when they were warm'}; ${unpaid} of them not approved.`,
      'The ledger remembers every payment for seven days, so it grows; what must not grow is what it needs for a key.',
    ],
    tables: [
      {
        head: ['minute', 'p50', 'p99', 'CPU us per payment', ...kinds, 'ledger, bytes per key'],
        rows: slices
          .filter((_, nth) => (nth + 1) % (SLICES / 6) === 0)
          .map(({ minute, load, cost, memory, ...rest }) => [
            short(minute),
            milliseconds(percentile(load.latency, 50)),
            milliseconds(percentile(load.latency, 99)),
            short(cost),
            ...kinds.map((kind) => mebibytes(memory[kind])),
            short(rest.ledgerBytes / rest.keys),
          ]),
      },
    ],
    charts: [
      {
        name: 'memory',
        title: 'Resident memory',
        kind: 'lines',
        x: 'minute',
        y: 'MiB',
        points: kinds.flatMap((kind) => series(kind, ({ memory }) => (memory[kind] ?? 0) / 1024 ** 2)),
      },
      {
        name: 'latency',
        title: 'Latency',
        kind: 'lines',
        x: 'minute',
        y: 'ms',
        points: [
          ...series('p50', ({ load }) => percentile(load.latency, 50)),
          ...series('p99', ({ load }) => percentile(load.latency, 99)),
        ],
      },
    ],
    goals: [
      { figure: 'soak: not approved', goal: '0', value: String(unpaid), isMet: unpaid === 0 },
      flat('gateway memory', ({ memory }) => memory.gateway ?? Number.NaN, mebibytes),
      flat('worker memory', ({ memory }) => memory.worker ?? Number.NaN, mebibytes),
      flat(
        'CPU per payment',
        ({ cost }) => cost,
        (value) => `${short(value)} us`,
      ),
      flat('latency p50', ({ load }) => percentile(load.latency, 50), milliseconds),
      flat('latency p99', ({ load }) => percentile(load.latency, 99), milliseconds),
      flat('ledger bytes per key', growth, short),
    ],
    figures: slices.map(({ load, ...slice }) => ({
      ...slice,
      ...load.counts,
      p50: percentile(load.latency, 50),
      p99: percentile(load.latency, 99),
    })),
  }
}
