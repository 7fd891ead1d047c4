import { setTimeout as sleep } from 'node:timers/promises'
import type { Report, Weather } from '@pay/payment-queue'
import { afterEach, describe, expect, it } from 'vitest'
import { reportWeather } from './report-weather.ts'

const weather: Weather = {
  gateways: 1,
  workers: 2,
  concurrency: 200,
  busy: 3,
  meanServiceMs: 100,
  allCircuitsOpen: false,
  waitingJobs: 0,
}

const opened: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  for (const reporting of opened.splice(0)) await reporting.stop()
})

function start({ everyMs, isAway = false }: { everyMs: number; isAway?: boolean }) {
  const said: (Report | 'goodbye')[] = []
  const heard: Weather[] = []
  const world = { busy: 0 }
  const station = {
    report: async (report: Report) => {
      said.push(report)
      if (isAway) throw new Error('away')
      return weather
    },
    leave: async () => void said.push('goodbye'),
  }
  const report = (): Report => ({ role: 'worker', concurrency: 10, busy: world.busy, isCircuitOpen: false })
  const reporting = reportWeather({ station, everyMs, report, onWeather: (each) => heard.push(each) })
  opened.push(reporting)
  return { reporting, said, heard, world }
}

describe('a worker', () => {
  it('says how it is at once, then every so often, as it is then', async () => {
    const { said, world } = start({ everyMs: 10 })
    expect(said).toHaveLength(1)

    world.busy = 7

    await expect.poll(() => said.at(-1), { interval: 5 }).toMatchObject({ busy: 7 })
  })

  it('hears in return how everybody is', async () => {
    const { heard } = start({ everyMs: 1000 })

    await expect.poll(() => heard, { interval: 5 }).toEqual([weather])
  })

  it('says it at once when asked to', () => {
    const { reporting, said } = start({ everyMs: 1000 })

    reporting.tell()

    expect(said).toHaveLength(2)
  })

  it('goes on when the queue is away', async () => {
    const { said, heard } = start({ everyMs: 10, isAway: true })

    await expect.poll(() => said.length, { interval: 5 }).toBeGreaterThan(2)
    expect(heard).toEqual([])
  })

  it('says goodbye when it ends, and nothing after that', async () => {
    const { reporting, said } = start({ everyMs: 10 })

    await reporting.stop()
    reporting.tell()
    await sleep(30)

    expect(said.at(-1)).toBe('goodbye')
  })
})
