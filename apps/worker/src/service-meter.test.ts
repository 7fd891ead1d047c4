import { describe, expect, it } from 'vitest'
import { createServiceMeter } from './service-meter.ts'

/** A meter, a clock that the test moves, and work that ends when the test says so. */
function start() {
  const clock = { now: 1000 }
  const meter = createServiceMeter(() => clock.now)
  const begin = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const done = meter.timed(() => promise)()
    const settled = done.catch(() => undefined)
    return {
      end: async () => {
        resolve()
        await settled
      },
      fail: async () => {
        reject(new Error('no'))
        await settled
        return done
      },
    }
  }
  const work = async (ms: number) => {
    const job = begin()
    clock.now += ms
    await job.end()
  }
  return { meter, clock, begin, work }
}

describe('the time a job takes', () => {
  it('is not known before the first', () => {
    expect(start().meter.meanServiceMs()).toBeUndefined()
  })

  it('is the mean of those that have ended', async () => {
    const { meter, work } = start()

    for (const ms of [100, 300, 200]) await work(ms)

    expect(meter.meanServiceMs()).toBe(200)
  })

  it('follows what has changed, within some tens of jobs', async () => {
    const { meter, work } = start()
    for (let n = 0; n < 500; n += 1) await work(100)

    for (let n = 0; n < 100; n += 1) await work(1000)

    expect(meter.meanServiceMs()).toBeGreaterThan(800)
    expect(meter.meanServiceMs()).toBeLessThan(1000)
  })

  it('is at least as long as those in work have been so already', async () => {
    const { meter, clock, begin, work } = start()
    await work(100)

    begin()
    begin()
    clock.now += 5000
    begin()

    expect(meter.meanServiceMs()).toBe(3333)
    expect(meter.busy()).toBe(3)
  })

  it('counts a job that fails like any other', async () => {
    const { meter, clock, begin } = start()
    const job = begin()
    clock.now += 400

    await expect(job.fail()).rejects.toThrow('no')

    expect(meter.meanServiceMs()).toBe(400)
    expect(meter.busy()).toBe(0)
  })
})
