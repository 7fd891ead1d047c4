import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { type Histogram, merge } from './histogram.ts'
import { openLaboratory, type Texts } from './laboratory.ts'
import type { Violation } from './oracle.ts'
import { SABOTAGES, sabotaged } from './sabotage.ts'
import { type Schedule, type Settings, schedules } from './schedule.ts'
import { type Outcome, simulate } from './simulate.ts'

/** One core's share of the work: schedules in blocks, many of them side by side on one connection. */

export type Share = {
  path: string
  seed: number
  count: number
  lane: number
  lanes: number
  /** Which guards to take out, one after the other; absent: none, and every schedule must hold. */
  sabotages?: boolean
}

export type Failure = { seed: number; nth: number; violation: Violation; schedule: Schedule; trace: readonly string[] }

export type Report = {
  done: number
  crashed: number
  restarted: number
  ledgerSteps: number[]
  edges: [string, number][]
  verdicts: [string, number][]
  failure: Failure | undefined
  found: { guard: string; after: number; violation: Violation | undefined }[]
}

const BLOCK = 250
const WIDTH = 64
const SHRINK_LIMIT_MS = 60_000

const share = workerData as Share

/** Every pause is spread by chance; here nothing is left to chance. */
Math.random = () => 0.5
// Most errors of a schedule are part of the play: nobody reads where they were made.
Error.stackTraceLimit = 0

async function inLaboratory<T>(
  name: string,
  texts: Texts | undefined,
  use: (laboratory: Awaited<ReturnType<typeof openLaboratory>>) => Promise<T>,
) {
  const laboratory = await openLaboratory({ path: share.path, name: `l${share.lane}-${name}`, ...(texts && { texts }) })
  try {
    return await use(laboratory)
  } finally {
    laboratory.close()
  }
}

/** The schedules of one block, always the same for one seed. */
const block = (seed: number): Schedule[] =>
  fc
    .sample(fc.asyncProperty(schedules, async () => undefined) as never, { seed, numRuns: BLOCK })
    .map((values) => (values as [Schedule])[0])

type Found = { seed: number; nth: number; violation: Violation }

type Run = {
  name: string
  texts?: Texts
  where?: Partial<Settings>
  /** The first of its blocks, and how far it is to the next. */
  first: number
  step: number
  onOutcome?: (outcome: Outcome) => void
}

/** Runs them until one breaks a rule. */
async function run({ name, texts, where = {}, first, step, onOutcome }: Run) {
  return inLaboratory(name, texts, async (laboratory) => {
    let started = 0
    let found: Found | undefined
    for (let at = first; at * BLOCK < share.count && !found; at += step) {
      const seed = share.seed + at
      const waiting = block(seed).map(({ settings, choices }, nth) => ({
        schedule: { settings: { ...settings, ...where }, choices },
        nth,
      }))
      const work = async () => {
        for (let one = waiting.shift(); one && !found; one = waiting.shift()) {
          started += 1
          const outcome = await simulate(one.schedule, laboratory)
          onOutcome?.(outcome)
          if (outcome.violation) found ??= { seed, nth: one.nth, violation: outcome.violation }
        }
      }
      await Promise.all(Array.from({ length: WIDTH }, work))
    }
    return { found, started }
  })
}

async function check(): Promise<Report> {
  const edges: Histogram = new Map()
  const verdicts: Histogram = new Map()
  const ledgerSteps: number[] = []
  const counts = { crashed: 0, restarted: 0 }
  function note(outcome: Outcome): void {
    merge(edges, outcome.edges)
    merge(verdicts, outcome.verdicts)
    ledgerSteps.push(outcome.ledgerSteps)
    if (outcome.crashes > 0) counts.crashed += 1
    if (outcome.restarted) counts.restarted += 1
  }

  const { found, started } = await run({ name: 'check', first: share.lane, step: share.lanes, onOutcome: note })

  const failure = found && (await shrink(found))
  return { done: started, ...counts, ledgerSteps, edges: [...edges], verdicts: [...verdicts], failure, found: [] }
}

/** The same schedule once more, made as small as it can be, and then told step by step. */
async function shrink({ seed, nth, violation }: Found): Promise<Failure> {
  const details = await inLaboratory('shrink', undefined, (laboratory) => {
    const holds = fc.asyncProperty(schedules, async (schedule) => !(await simulate(schedule, laboratory)).violation)
    return fc.check(holds, { seed, path: String(nth), numRuns: nth + 1, interruptAfterTimeLimit: SHRINK_LIMIT_MS })
  })
  const schedule = details.counterexample?.[0] ?? block(seed)[nth]
  if (!schedule) throw new Error(`there is no schedule ${nth} of seed ${seed}`)
  const told = await inLaboratory('told', undefined, (laboratory) => simulate(schedule, laboratory, { isTraced: true }))
  return { seed, nth, violation: told.violation ?? violation, schedule, trace: told.trace }
}

async function sabotage(): Promise<Report> {
  const found: Report['found'] = []
  for (const [nth, one] of SABOTAGES.entries()) {
    if (nth % share.lanes !== share.lane) continue
    const { started, found: seen } = await run({
      name: `sabotage${nth}`,
      texts: sabotaged(one),
      ...(one.where && { where: one.where }),
      first: 0,
      step: 1,
    })
    found.push({ guard: one.guard, after: started, violation: seen?.violation })
  }
  return { done: 0, crashed: 0, restarted: 0, ledgerSteps: [], edges: [], verdicts: [], failure: undefined, found }
}

parentPort?.postMessage(await (share.sabotages ? sabotage() : check()))
