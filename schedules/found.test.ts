import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openLaboratory } from './laboratory.ts'
import { startScheduleRedis } from './redis.ts'
import { SABOTAGES, sabotaged } from './sabotage.ts'
import type { Schedule, Settings } from './schedule.ts'
import { simulate } from './simulate.ts'

/** Schedules that once broke a rule, as small as they could be made. Each is played twice: as the scripts are, and without the
 * guard that came of it, so that it is known to be still the same schedule. */
type Found = { name: string; guard: string; schedule: Schedule }

/** One gateway, one worker, one caller with one try. */
const plain: Settings = {
  reserve: 'required',
  lateApproval: 'report',
  behaviour: 'refuses',
  isProven: true,
  gateways: 1,
  workers: 1,
  maxWaiting: 100,
  capacity: undefined,
  hasToken: false,
  calm: 128,
  calls: [{ payment: 0, variant: 1, tries: 1 }],
  ending: 'approved',
  meanwhile: 'nothing',
  goesBack: false,
}

/** Of everything that can happen, what waits longest, and well. */
const FIRST = 0
const LOST_APPROVAL = 933_121_344

const FOUND: readonly Found[] = [
  {
    name: 'a lost approval of a PayConex that ignores ids is not taken for absent because no look-up finds it',
    guard: 'finish: absent only where PayConex honours ids',
    schedule: {
      settings: { ...plain, behaviour: 'ignores' },
      choices: [...Array.from({ length: 10 }, () => FIRST), LOST_APPROVAL],
    },
  },
]

let redis: Awaited<ReturnType<typeof startScheduleRedis>>

beforeAll(async () => {
  redis = await startScheduleRedis()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})

afterAll(() => redis.stop())

it.each(FOUND)('$name', async ({ guard, schedule }) => {
  const sabotage = SABOTAGES.find((one) => one.guard === guard)
  if (!sabotage) throw new Error(`no guard ${guard}`)
  const [whole, broken] = [{}, { texts: sabotaged(sabotage) }].map((texts, nth) =>
    openLaboratory({ path: redis.path, name: `found${nth}`, ...texts }),
  )
  if (!whole || !broken) throw new Error('two laboratories are needed')

  const held = await simulate(schedule, await whole)
  const missed = await simulate(schedule, await broken)

  expect(held.violation).toBeUndefined()
  expect(missed.violation).toBeDefined()
  for (const laboratory of [whole, broken]) (await laboratory).close()
})
