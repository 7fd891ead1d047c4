import { env } from 'node:process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { atWork } from './crew.ts'
import { EDGES, table } from './histogram.ts'
import { startScheduleRedis } from './redis.ts'
import { REDUNDANT, SABOTAGES } from './sabotage.ts'

/** SCHEDULES_SEED repeats a run, SCHEDULES makes it longer or shorter. */
const seed = Number(env.SCHEDULES_SEED ?? Math.floor(Math.random() * 2 ** 30))
const count = Number(env.SCHEDULES ?? 20_000)

/** Each legal step must have been seen so often in 20,000 schedules. */
const OFTEN = 100

let redis: Awaited<ReturnType<typeof startScheduleRedis>>

beforeAll(async () => {
  redis = await startScheduleRedis()
})

afterAll(() => redis.stop())

const say = (text: string) => void process.stdout.write(`${text}\n`)

it('no schedule of gateways, workers, crashes and lost answers breaks a rule', async () => {
  const startedAt = performance.now()

  const report = await atWork({ path: redis.path, seed, count })

  const { done, crashed, restarted, ledgerSteps, edges, verdicts, failure } = report
  const seconds = (performance.now() - startedAt) / 1000
  const median = ledgerSteps[Math.floor(ledgerSteps.length / 2)] ?? 0
  const percent = Math.round((100 * crashed) / done)
  say(`SCHEDULES_SEED=${seed}: ${done} schedules in ${seconds.toFixed(0)} s (${(done / seconds).toFixed(0)}/s)`)
  say(
    `ledger steps: median ${median}, at most ${ledgerSteps.at(-1)} · with a crash: ${percent} % · restarted: ${restarted}`,
  )
  say(`steps of payments\n${table(EDGES, edges)}`)
  say(`answers\n${table([...verdicts.keys()].sort(), verdicts)}`)
  if (failure) say(`${failure.trace.join('\n')}\n${JSON.stringify(failure.schedule)}`)
  expect(failure && { seed: failure.seed, nth: failure.nth, ...failure.violation }).toBeUndefined()
  expect(done).toBeGreaterThanOrEqual(count)
  expect(median).toBeGreaterThanOrEqual(25)
  expect(percent).toBeGreaterThan(50)
  const rare = EDGES.filter((edge) => (edges.get(edge) ?? 0) < (OFTEN * count) / 20_000)
  expect(rare).toEqual([])
})

it('every guard of the scripts is missed as soon as it is taken out', async () => {
  const { found } = await atWork({ path: redis.path, seed, count, sabotages: true })

  const width = Math.max(...SABOTAGES.map(({ guard }) => guard.length))
  const line = ({ guard, after, violation }: (typeof found)[number]) =>
    `  ${guard.padEnd(width)} ${String(after).padStart(7)}  ${violation?.rule ?? 'not found'}`
  say(`guards taken out, and after how many schedules that was found\n${found.map(line).join('\n')}`)
  say(`guards that stand twice\n${REDUNDANT.map(({ guard, why }) => `  ${guard}: ${why}`).join('\n')}`)
  expect(found.filter(({ violation }) => !violation).map(({ guard }) => guard)).toEqual([])
  expect(found).toHaveLength(SABOTAGES.length)
})
