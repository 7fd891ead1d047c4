import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'
import { type OnAnswer, openLoop } from './load.ts'
import { type Refusals, readRefusals } from './refusals.ts'
import { type Chart, type Goal, type Result, type Settings, short } from './result.ts'
import { capacityOf, onStage, warmUp } from './stage.ts'

const RECOVERY_LIMIT_MS = 5_000
const RECOVERY_SECONDS = 20
/** Of what can be done, once the flood is over. */
const CALM_SHARE = 0.5
const GOODPUT_SHARE = 0.9
const SLOW_MS = 1_000
const WARM_PAYMENTS = 1_000

type Answer = { told: string; dueAt: number; ms: number }

type Found = {
  capacity: number
  /** Of all payments, from the beginning of the flood on. */
  answers: Answer[]
  floodFrom: number
  floodTo: number
  refusals: Refusals
}

/** More payments than PayConex and the worker can take, for a while, and then half as many. What can be done is set by the worker's
 * concurrency and PayConex' time, not by the processor, which the load has to share with everybody here. */
export async function measureOverload(settings: Settings): Promise<Result> {
  const { seconds = 60, times = 2, concurrency = 10, payconexMs = 100, callers = 64, say, startRedis } = settings
  const delays = { saleMs: payconexMs, reserveMs: 0 }
  const found = await onStage({ names: ['ours'], concurrency, delays, startRedis }, async (_payconex, ours) => {
    say('how much can it do?')
    await warmUp(ours, WARM_PAYMENTS)
    const capacity = await capacityOf(ours, callers, 5)
    say(`${short(capacity)} a second; now ${times} times that, for ${seconds} s`)
    return flood(ours, { capacity, times, seconds })
  })
  return tell(found, { times, seconds, concurrency, payconexMs })
}

type Flood = { capacity: number; times: number; seconds: number }

async function flood(ours: Contender, { capacity, times, seconds }: Flood): Promise<Found> {
  const answers: Answer[] = []
  const onAnswer: OnAnswer = (told, dueAt, ms) => answers.push({ told, dueAt, ms })
  const opsUrls = ours.gateways.map(({ opsUrl = '' }) => opsUrl)
  const before = await readRefusals(opsUrls)
  const floodFrom = performance.now()
  const flooding = openLoop({ client: ours.client, perSecond: times * capacity, seconds, onAnswer })
  await sleep(seconds * 1000)
  const floodTo = performance.now()
  const after = await readRefusals(opsUrls)
  const perSecond = CALM_SHARE * capacity
  await openLoop({ client: ours.client, perSecond, seconds: RECOVERY_SECONDS, onAnswer })
  await flooding
  const refusals = { all: after.all - before.all, atOnce: after.atOnce - before.atOnce }
  return { capacity, answers, floodFrom, floodTo, refusals }
}

type Asked = { times: number; seconds: number; concurrency: number; payconexMs: number }

function tell(found: Found, { times, seconds, concurrency, payconexMs }: Asked): Result {
  const { capacity, answers, floodFrom, floodTo, refusals } = found
  const approved = answers.filter(({ told }) => told === 'approved')
  const perSecond = perSecondOf(approved, floodFrom, seconds)
  const goodput = mean(perSecond)
  const lowest = Math.min(...inFives(perSecond).map(mean))
  const recoveryMs = afterFlood(answers, floodTo, ({ told }) => told !== 'approved')
  const waitedMs = afterFlood(answers, floodTo, ({ ms }) => ms > SLOW_MS)
  const failed = answers.filter(({ told }) => told === 'failed').length
  const shareAtOnce = refusals.atOnce / refusals.all
  const goals: Goal[] = [
    {
      figure: `goodput at ${times} x capacity, the worst five seconds`,
      goal: `>= ${GOODPUT_SHARE} of capacity`,
      value: `${short(lowest / capacity)} (${short(lowest)} a second)`,
      isMet: lowest >= GOODPUT_SHARE * capacity,
    },
    {
      figure: 'refusals within 50 ms, measured inside the gateway',
      goal: '>= 99 %',
      value: refusals.all === 0 ? 'none had to be' : `${short(100 * shareAtOnce)} % of ${refusals.all}`,
      isMet: refusals.all === 0 || shareAtOnce >= 0.99,
    },
    {
      figure: 'recovery: the last payment refused after the flood',
      goal: '< 5 s',
      value: `${short(recoveryMs / 1000)} s`,
      isMet: recoveryMs < RECOVERY_LIMIT_MS,
    },
    { figure: 'overload: without a true answer', goal: '0', value: String(failed), isMet: failed === 0 },
  ]
  return {
    title: 'Overload',
    notes: [
      `1 gateway, 1 worker with WORKER_CONCURRENCY=${concurrency}, a PayConex that takes ${payconexMs} ms: ${short(capacity)} payments a second can be made. Then ${times} times as many came for ${seconds} s, and half as many after that.`,
      `What is accepted may wait for most of SEND_BY (22 s): when the flood ends the queue is long. For ${short(waitedMs / 1000)} s after it payments were taken that waited for more than ${SLOW_MS / 1000} s.`,
    ],
    tables: [
      {
        head: ['capacity, a second', 'goodput, mean', 'goodput, worst five seconds', 'refused in all'],
        rows: [[short(capacity), short(goodput), short(lowest), String(refusals.all)]],
      },
    ],
    charts: [chartOf(found, seconds + RECOVERY_SECONDS)],
    goals,
    figures: { capacity, perSecond, goodput, lowest, refusals, recoveryMs, waitedMs, failed },
  }
}

/** By when they were answered: what counts is what gets done. The last second of the flood is a part of one. */
function perSecondOf(answers: readonly Answer[], from: number, seconds: number): number[] {
  const counts = Array.from({ length: Math.ceil(seconds) }, () => 0)
  for (const { dueAt, ms } of answers) {
    const second = Math.floor((dueAt + ms - from) / 1000)
    if (second >= 0 && second < counts.length) counts[second] = (counts[second] ?? 0) + 1
  }
  return counts
}

const inFives = (perSecond: readonly number[]): number[][] =>
  Array.from({ length: Math.max(1, Math.floor(perSecond.length / 5)) }, (_, nth) =>
    perSecond.slice(5 * nth, 5 * nth + 5),
  )

const mean = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length

/** How long after the flood the last payment came that was met so. */
const afterFlood = (answers: readonly Answer[], floodTo: number, isSo: (answer: Answer) => boolean): number =>
  Math.max(
    0,
    ...answers.filter((answer) => answer.dueAt >= floodTo && isSo(answer)).map(({ dueAt }) => dueAt - floodTo),
  )

function chartOf({ answers, floodFrom }: Found, seconds: number): Chart {
  const series = (told: string) =>
    perSecondOf(
      answers.filter((answer) => answer.told === told),
      floodFrom,
      seconds,
    ).map((count, second) => ({ x: second, y: count, series: told }))
  return {
    name: 'goodput',
    title: 'Answers a second',
    kind: 'lines',
    x: 'second',
    y: 'answers',
    points: [...series('approved'), ...series('refused')],
  }
}
