import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CpuProfile, monotonicMicroseconds, type Span, selfTimes, type Times } from './cpu-profile.ts'
import { closedLoop } from './load.ts'
import { type Measured, measure } from './measure.ts'
import { type Result, type Settings, short, type Table } from './result.ts'
import { onStage, warmUp } from './stage.ts'
import { sum } from './statistics.ts'

const KINDS = ['gateway', 'worker'] as const
const SHOWN = 40

type Profiled = { kind: (typeof KINDS)[number]; profile: CpuProfile }

/** Our gateway and worker with Node's profiler on, under many callers: where the time goes. Figures per payment, of the time in
 * which the processor worked; the profiler itself costs some. */
export async function profile(settings: Settings): Promise<Result> {
  const { seconds = 8, callers = 64, say, startRedis } = settings
  const folder = await mkdtemp(join(tmpdir(), 'pay-profile-'))
  try {
    const nodeArgs = { gateway: argsFor(folder, 'gateway'), worker: argsFor(folder, 'worker') }
    const measured = await onStage({ names: ['ours'], nodeArgs, startRedis }, async (_payconex, ours) => {
      say('warming up ...')
      await warmUp(ours)
      say(`${callers} callers for ${seconds} s, with the profiler on`)
      const from = monotonicMicroseconds()
      const measured = await measure(ours, () => closedLoop({ client: ours.client, callers, seconds }))
      return { ...measured, span: { from, to: monotonicMicroseconds() } }
    })
    return tell(await Promise.all(KINDS.map((kind) => readProfile(folder, kind))), measured)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const argsFor = (folder: string, kind: string) => ['--cpu-prof', `--cpu-prof-dir=${join(folder, kind)}`]

/** Written when the process ends, which it does in order. */
async function readProfile(folder: string, kind: Profiled['kind']): Promise<Profiled> {
  const [file] = await readdir(join(folder, kind))
  if (file === undefined) throw new Error(`the ${kind} wrote no profile`)
  return { kind, profile: JSON.parse(await readFile(join(folder, kind, file), 'utf8')) }
}

function tell(all: readonly Profiled[], { perPayment, load, span }: Measured & { span: Span }): Result {
  const found = all.map(({ kind, profile: written }) => {
    const cpu = perPayment.cpu[kind] ?? Number.NaN
    const { byPlace, byFunction } = selfTimes(written, span)
    return { kind, cpu, byPlace: scaled(byPlace, cpu), byFunction: scaled(byFunction, cpu) }
  })
  return {
    title: 'Where the time goes',
    notes: [
      `Self time by place, over ${load.counts.approved} payments after the processes were warm. A profile counts the time on the wall, so it is scaled to what the operating system says that the process used, all its threads and the profiler included.`,
    ],
    tables: found.flatMap(({ kind, cpu, byPlace, byFunction }) => [
      tableOf(`${kind}, ${short(cpu)} us per payment, by package or file`, byPlace),
      tableOf(`${kind}, by function`, byFunction),
    ]),
    charts: [],
    goals: [],
    figures: found,
  }
}

/** So that all of them add up to `total`. */
function scaled(times: Times, total: number): Times {
  const sampled = sum(times.map(([, time]) => time))
  return times.map(([name, time]) => [name, (time * total) / sampled])
}

const tableOf = (title: string, times: Times): Table => ({
  head: [title, 'us per payment'],
  rows: times.slice(0, SHOWN).map(([name, microseconds]) => [name, short(microseconds)]),
})
