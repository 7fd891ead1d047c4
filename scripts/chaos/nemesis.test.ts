import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Act } from './acts.ts'
import { type NemesisOptions, releaseNemesis } from './nemesis.ts'
import { createRandom } from './random.ts'
import type { Stage } from './stage.ts'

const act = (kind: string, weight = 1, run: Act['run'] = async () => undefined): Act => ({
  kind,
  weight,
  echoMs: 500,
  lasts: [0, 0],
  run,
})

const release = (acts: Act[], options: Partial<NemesisOptions> = {}) =>
  releaseNemesis({
    stage: {} as Stage,
    acts,
    random: createRandom(7),
    tryMs: 1,
    pauseLimitMs: 1,
    atOnce: [2, 2],
    rest: [0, 1],
    restFirstMs: 0,
    ...options,
  })

const acts = () => [act('kill_worker', 2), act('stop_worker'), act('kill_queue'), act('cut_worker_ledger')]

describe('the nemesis', () => {
  it('gives each kind its turns, as often as it weighs, and ends there when once is enough', async () => {
    const nemesis = release(acts(), { isOnce: true })
    await sleep(200)
    await nemesis.stop()

    const kinds = nemesis.deeds().map(({ kind }) => kind)
    expect(kinds.sort()).toEqual(['cut_worker_ledger', 'kill_queue', 'kill_worker', 'kill_worker', 'stop_worker'])
  })

  it('goes on until it is stopped, and puts back what it has taken', async () => {
    let taken = 0
    const take: Act['run'] = async ({ over }) => {
      taken += 1
      await sleep(60_000, undefined, { signal: over }).catch(() => undefined)
      taken -= 1
    }
    const nemesis = release([act('kill_queue', 1, take)])
    await expect.poll(() => taken).toBe(1)

    await nemesis.stop()

    expect(taken).toBe(0)
    expect(nemesis.deeds().every(({ to, end }) => end === to + 500)).toBe(true)
  })

  it('never does two things at once to the same thing', async () => {
    let busy = 0
    let most = 0
    const handle: Act['run'] = async () => {
      busy += 1
      most = Math.max(most, busy)
      await sleep(5)
      busy -= 1
    }
    const nemesis = release([
      act('kill_worker', 1, handle),
      act('stop_worker', 1, handle),
      act('workers_gone', 1, handle),
    ])
    await sleep(100)
    await nemesis.stop()

    expect(nemesis.deeds().length).toBeGreaterThan(3)
    expect(most).toBe(1)
  })

  it('without acts does nothing', async () => {
    const nemesis = release([])

    await nemesis.stop()

    expect(nemesis.deeds()).toEqual([])
  })
})
