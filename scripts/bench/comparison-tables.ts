import type { Round, Rounds } from './comparison.ts'
import { type ContenderName, contenderNames, type Kind } from './contender.ts'
import { type Load, percentile } from './load.ts'
import { atMost, type Goal, mebibytes, milliseconds, type Result, short, type Table } from './result.ts'
import { pairwise, type Spread, spreadOf, sum } from './statistics.ts'

export const KINDS: readonly Kind[] = ['gateway', 'worker', 'queue Redis', 'ledger Redis']

type Compared = { measured: Rounds; rate: number }

/** What was measured in all rounds, as tables, charts and goals. */
export function tellComparison(
  { measured, rate }: Compared,
  { rounds, seconds, callers, slowMs }: { rounds: number; seconds: number; callers: number; slowMs: number },
): Result {
  const figures = figuresOf(measured)
  return {
    title: 'Side by side',
    notes: [
      `${rounds} rounds, in each of them each contender for ${short(3 * seconds)} s: ${callers} callers at once, 1 caller, 1 caller with a PayConex that takes ${slowMs} ms for each answer, and ${short(rate)} payments a second in an open loop, 70 % of what ours did with ${callers} callers after it was warm.`,
      'Shown is the median of the rounds, and in brackets the lowest and the highest. What is compared was compared within each round.',
    ],
    tables: [costTable(figures), kindTable(figures), latencyTable(figures, slowMs), redisTable(figures)],
    charts: [costChart(figures), latencyChart(figures, slowMs)],
    goals: goalsOf(figures, slowMs),
    figures: { rate, ...figures },
  }
}

export type Figures = ReturnType<typeof figuresOf>

/** Every figure over all rounds; `added` and `ratio` from pairs of the same round. */
export function figuresOf(measured: Rounds) {
  const each = <Value>(of: (rounds: readonly Round[], name: ContenderName) => Value) =>
    Object.fromEntries(contenderNames.map((name) => [name, of(measured[name], name)])) as Record<ContenderName, Value>
  const over = (rounds: readonly Round[], of: (round: Round) => number) => spreadOf(rounds.map(of))
  const compared = (to: ContenderName, of: (ours: Round, theirs: Round) => number) =>
    spreadOf(pairwise(measured.ours, measured[to], of))
  const latencies = (rounds: readonly Round[], load: LoadName) => ({
    p50: over(rounds, (round) => percentile(round[load].latency, 50)),
    p95: over(rounds, (round) => percentile(round[load].latency, 95)),
    p99: over(rounds, (round) => percentile(round[load].latency, 99)),
  })
  const added = (name: ContenderName, load: LoadName, percent: number) =>
    spreadOf(
      pairwise(
        measured[name],
        measured.direct,
        (one, direct) => percentile(one[load].latency, percent) - percentile(direct[load].latency, percent),
      ),
    )
  const byKind = (rounds: readonly Round[], of: (round: Round, kind: Kind) => number | undefined) =>
    Object.fromEntries(
      KINDS.map((kind) => [kind, over(rounds, (round) => of(round, kind) ?? Number.NaN)] as const),
    ) as Record<Kind, Spread>
  return {
    cpu: each((rounds) => over(rounds, ({ busy }) => busy.perPayment.cpuInAll)),
    cpuByKind: each((rounds) => byKind(rounds, ({ busy }, kind) => busy.perPayment.cpu[kind])),
    memoryByKind: each((rounds) => byKind(rounds, ({ busy }, kind) => busy.residentBytes[kind])),
    perSecond: each((rounds) => over(rounds, ({ busy }) => busy.approvedPerSecond)),
    redis: each((rounds) => ({
      commands: over(rounds, ({ busy }) => busy.perPayment.redis.commands),
      scripts: over(rounds, ({ busy }) => busy.perPayment.redis.scripts),
      bytesIn: over(rounds, ({ busy }) => busy.perPayment.redis.bytesIn),
      bytesOut: over(rounds, ({ busy }) => busy.perPayment.redis.bytesOut),
    })),
    latency: each((rounds) => ({
      single: latencies(rounds, 'single'),
      slow: latencies(rounds, 'slow'),
      steady: latencies(rounds, 'steady'),
    })),
    added: each((_rounds, name) => ({
      single: addedOf((percent) => added(name, 'single', percent)),
      slow: addedOf((percent) => added(name, 'slow', percent)),
      steady: addedOf((percent) => added(name, 'steady', percent)),
    })),
    ratio: {
      plain: compared('plain', (ours, theirs) => ours.busy.perPayment.cpuInAll / theirs.busy.perPayment.cpuInAll),
      direct: compared('direct', (ours, theirs) => ours.busy.perPayment.cpuInAll / theirs.busy.perPayment.cpuInAll),
    },
    lateness: each((rounds) => over(rounds, ({ steady }) => percentile(steady.lateness, 50))),
    unpaid: each((rounds) => sum(rounds.map(unpaidOf))),
  }
}

type LoadName = 'single' | 'slow' | 'steady'

const addedOf = (at: (percent: number) => Spread) => ({ p50: at(50), p95: at(95), p99: at(99) })

const unpaidOf = ({ busy, single, slow, steady }: Round): number =>
  sum([busy.load, single, slow, steady].map(({ counts }: Load) => counts.refused + counts.failed))

/** `12 (11 to 14)`. */
export const written = ({ median, lowest, highest }: Spread, write: (value: number) => string = short): string =>
  Number.isFinite(median) ? `${write(median)} (${write(lowest)} to ${write(highest)})` : '-'

function costTable({ cpu, perSecond, ratio, unpaid }: Figures): Table {
  const against = (name: ContenderName) => (name === 'ours' ? '' : written(ratio[name]))
  return {
    head: ['', 'CPU us per payment', 'ours / this', 'payments a second', 'not approved'],
    rows: contenderNames.map((name) => [
      name,
      written(cpu[name]),
      against(name),
      written(perSecond[name]),
      String(unpaid[name]),
    ]),
  }
}

function kindTable({ cpuByKind, memoryByKind }: Figures): Table {
  const cell = (name: ContenderName, kind: Kind) => {
    const { median } = cpuByKind[name][kind]
    return Number.isFinite(median) ? `${short(median)} us, ${mebibytes(memoryByKind[name][kind].median)}` : '-'
  }
  return {
    head: ['CPU per payment, resident memory', ...KINDS],
    rows: contenderNames.map((name) => [name, ...KINDS.map((kind) => cell(name, kind))]),
  }
}

function latencyTable({ latency, added, lateness }: Figures, slowMs: number): Table {
  const loads = { single: '1 caller', slow: `1 caller, PayConex ${slowMs} ms`, steady: 'open loop' } as const
  const rows = Object.entries(loads).flatMap(([load, title]) =>
    contenderNames.map((name) => {
      const { p50, p95, p99 } = latency[name][load as LoadName]
      const over = added[name][load as LoadName]
      const more = name === 'direct' ? ['', ''] : [written(over.p50), written(over.p99)]
      const late = load === 'steady' ? short(lateness[name].median) : ''
      return [title, name, short(p50.median), short(p95.median), short(p99.median), ...more, late]
    }),
  )
  return {
    head: ['ms', '', 'p50', 'p95', 'p99', 'p50 over direct', 'p99 over direct', 'callers late, p50'],
    rows,
  }
}

function redisTable({ redis }: Figures): Table {
  return {
    head: ['Redis, per payment', 'commands (also inside scripts)', 'scripts', 'bytes in', 'bytes out'],
    rows: contenderNames
      .filter((name) => name !== 'direct')
      .map((name) => {
        const { commands, scripts, bytesIn, bytesOut } = redis[name]
        return [name, written(commands), written(scripts), written(bytesIn), written(bytesOut)]
      }),
  }
}

const costChart = ({ cpuByKind }: Figures) => ({
  name: 'cpu',
  title: 'CPU per payment, by process',
  kind: 'bars' as const,
  x: '',
  y: 'microseconds',
  points: contenderNames.flatMap((name) =>
    KINDS.map((kind) => ({ x: name, y: cpuByKind[name][kind].median, series: kind })).filter(({ y }) => y > 0),
  ),
})

const latencyChart = ({ latency }: Figures, slowMs: number) => ({
  name: 'latency',
  title: `Latency p50: 1 caller, 1 caller and a PayConex of ${slowMs} ms, open loop at 70 % load`,
  kind: 'bars' as const,
  x: '',
  y: 'milliseconds',
  points: (['single', 'slow', 'steady'] as const).flatMap((load) =>
    contenderNames.map((name) => ({ x: `${load}, ${name}`, y: latency[name][load].p50.median, series: name })),
  ),
})

function goalsOf({ ratio, added }: Figures, slowMs: number): Goal[] {
  const { ours, plain } = added
  return [
    atMost('CPU per payment, ours / plain', 0.9, ratio.plain.median),
    atMost('CPU per payment, ours / direct', 1.8, ratio.direct.median),
    atMost('added latency p50 with 1 caller over direct', 1, ours.single.p50.median, milliseconds),
    atMost(
      "added latency p50 with 1 caller, not above plain's",
      plain.single.p50.median,
      ours.single.p50.median,
      milliseconds,
    ),
    atMost(`added latency p50 with 1 caller and a PayConex of ${slowMs} ms`, 1, ours.slow.p50.median, milliseconds),
    below('added latency p99 at 70 % load', 10, ours.steady.p99.median),
  ]
}

const below = (figure: string, limit: number, value: number): Goal => ({
  figure,
  goal: `< ${milliseconds(limit)}`,
  value: milliseconds(value),
  isMet: value < limit,
})
