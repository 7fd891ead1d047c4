import type { Weather } from '@pay/payment-queue'
import { systemClock } from '@pay/service'
import { afterEach, describe, expect, it } from 'vitest'
import { watchWeather } from './watch-weather.ts'

const times = { weatherMs: 10, weatherLeaseMs: 200 }

const fair: Weather = {
  gateways: 2,
  workers: 1,
  concurrency: 100,
  busy: 0,
  meanServiceMs: 100,
  allCircuitsOpen: false,
  waitingJobs: 0,
}
const nobody: Weather = { ...fair, workers: 0, concurrency: 0 }

const opened: { stop: () => Promise<void> }[] = []
afterEach(async () => {
  for (const watch of opened.splice(0)) await watch.stop()
})

/** A watch on a queue that says what the test wants, or is away, by a clock that the test moves. */
function start(weather: Weather | 'away') {
  const world = { weather, now: 1000, looks: 0, left: false }
  const station = {
    report: async () => {
      world.looks += 1
      if (world.weather === 'away') throw new Error('away')
      return world.weather
    },
    leave: async () => {
      world.left = true
    },
  }
  const watch = watchWeather({ station, times, clock: { ...systemClock, now: () => world.now } })
  opened.push(watch)
  /** Until it has looked anew. */
  const looked = async () => {
    const before = world.looks
    await expect.poll(() => world.looks, { interval: 2 }).toBeGreaterThan(before + 1)
  }
  return { watch, world, looked }
}

describe('a weather watch', () => {
  it('knows nothing at first', () => {
    const { watch } = start(fair)

    expect(watch.sky()).toEqual({ weather: undefined, noWorkerForMs: 0, queuedSince: 0 })
    expect(watch.capacity()).toBeUndefined()
  })

  it('knows what it was told last', async () => {
    const { watch, world, looked } = start(fair)
    await looked()
    expect(watch.sky().weather).toEqual(fair)

    world.weather = { ...fair, waitingJobs: 7 }
    await looked()

    expect(watch.sky().weather).toMatchObject({ waitingJobs: 7 })
    expect(watch.capacity()).toMatchObject({ concurrency: 100, gateways: 2 })
  })

  it('believes it for a while when the queue is away, and then knows nothing', async () => {
    const { watch, world, looked } = start(fair)
    await looked()

    world.weather = 'away'
    world.now += times.weatherLeaseMs - 1
    await looked()
    expect(watch.sky().weather).toEqual(fair)
    world.now += 1

    expect(watch.sky().weather).toBeUndefined()
  })

  it('keeps in mind how much room there was, when the queue is away or the workers are', async () => {
    const { watch, world, looked } = start(nobody)
    await looked()
    expect(watch.capacity()).toBeUndefined()
    world.weather = fair
    await looked()

    world.weather = nobody
    await looked()
    expect(watch.capacity()).toMatchObject({ concurrency: 100, gateways: 2 })
    world.weather = 'away'
    world.now += 2 * times.weatherLeaseMs
    await looked()

    expect(watch.capacity()).toMatchObject({ concurrency: 100, gateways: 2 })
  })

  it('measures for how long there was no worker', async () => {
    const { watch, world, looked } = start(fair)
    await looked()

    world.weather = nobody
    await looked()
    world.now += 300
    await looked()
    expect(watch.sky().noWorkerForMs).toBe(300)

    world.weather = fair
    await looked()
    expect(watch.sky().noWorkerForMs).toBe(0)
  })

  it('begins to measure anew when the queue was away, for it may have forgotten the workers', async () => {
    const { watch, world, looked } = start(nobody)
    await looked()
    world.now += 1000

    world.weather = 'away'
    await looked()
    world.weather = nobody
    await looked()
    world.now += 50

    expect(watch.sky().noWorkerForMs).toBe(50)
  })

  it('counts what was queued since it looked', async () => {
    const { watch, looked } = start(fair)
    await looked()

    watch.queued()
    watch.queued()
    expect(watch.sky().queuedSince).toBe(2)
    await looked()

    expect(watch.sky().queuedSince).toBe(0)
  })

  it('goes on counting while the queue is away', async () => {
    const { watch, looked } = start('away')

    watch.queued()
    await looked()

    expect(watch.sky().queuedSince).toBe(1)
  })

  it('says goodbye when it ends, and looks no more', async () => {
    const { watch, world, looked } = start(fair)
    await looked()

    await watch.stop()
    const before = world.looks

    expect(world.left).toBe(true)
    await expect.poll(() => world.looks, { timeout: 30 }).toBe(before)
  })
})
