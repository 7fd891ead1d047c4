import { describe, expect, it } from 'vitest'
import { type Report, weatherOf, weatherOver } from './weather.ts'

const gateway: Report = { role: 'gateway' }
const worker = (changes: Partial<Extract<Report, { role: 'worker' }>> = {}): Report => ({
  role: 'worker',
  concurrency: 100,
  busy: 40,
  meanServiceMs: 500,
  isCircuitOpen: false,
  ...changes,
})
const seen = (waitingJobs: number, ...reports: Report[]) =>
  weatherOf([waitingJobs, reports.map((report) => JSON.stringify(report))])

describe('the weather', () => {
  it('is the sum of what everybody says', () => {
    expect(seen(7, gateway, worker(), gateway, worker({ busy: 60 }))).toEqual({
      gateways: 2,
      workers: 2,
      concurrency: 200,
      busy: 100,
      meanServiceMs: 500,
      allCircuitsOpen: false,
      waitingJobs: 7,
    })
  })

  it('with nobody there has no workers, and no circuit that is open', () => {
    expect(seen(0)).toMatchObject({ workers: 0, concurrency: 0, meanServiceMs: 0, allCircuitsOpen: false })
  })

  it('weighs the time a job takes by how much each worker can do', () => {
    const slow = worker({ concurrency: 300, meanServiceMs: 1000 })

    expect(seen(0, worker({ meanServiceMs: 200 }), slow).meanServiceMs).toBe(800)
  })

  it('leaves a worker that has done no job yet out of that time, but not out of the count', () => {
    const fresh = worker({ meanServiceMs: undefined })

    expect(seen(0, worker(), fresh)).toMatchObject({ meanServiceMs: 500, concurrency: 200 })
    expect(seen(0, fresh).meanServiceMs).toBe(0)
  })

  it('does not count on a worker that cannot reach PayConex while another can', () => {
    const cutOff = worker({ isCircuitOpen: true, meanServiceMs: 1 })

    expect(seen(0, worker(), cutOff)).toEqual({ ...seen(0, worker()), workers: 2 })
  })

  it('says so when none of them can', () => {
    const cutOff = worker({ isCircuitOpen: true })

    expect(seen(0, cutOff, cutOff)).toMatchObject({ allCircuitsOpen: true, concurrency: 200 })
  })

  it('leaves out what it cannot read', () => {
    const texts = ['', 'storm', '{"role":"worker"}', '{"role":"sweeper"}', JSON.stringify(gateway)]

    expect(weatherOf([0, texts])).toMatchObject({ gateways: 1, workers: 0 })
  })

  it('takes a report of a newer version that says more', () => {
    const newer = JSON.stringify({ ...worker(), mood: 'good' })

    expect(weatherOf([0, [newer]])).toMatchObject({ workers: 1, concurrency: 100 })
  })
})

describe('the weather over some shards', () => {
  it('counts everybody once, and what he can do and what waits shard by shard', () => {
    const shards = [
      seen(7, gateway, worker({ concurrency: 17, busy: 3 }), worker({ concurrency: 17, busy: 4 })),
      seen(0, gateway, worker({ concurrency: 16, busy: 5 }), worker({ concurrency: 16, busy: 6 })),
    ]

    expect(weatherOver(shards)).toEqual({
      gateways: 1,
      workers: 2,
      concurrency: 66,
      busy: 18,
      meanServiceMs: 500,
      allCircuitsOpen: false,
      waitingJobs: 7,
    })
  })

  it('leaves a shard in which nothing was done yet out of the time that a job takes', () => {
    const idle = seen(0, worker({ meanServiceMs: undefined }))

    expect(weatherOver([seen(0, worker()), idle]).meanServiceMs).toBe(500)
    expect(weatherOver([idle, idle]).meanServiceMs).toBe(0)
  })

  it('has all circuits open only where all are, in every shard', () => {
    const away = seen(0, worker({ isCircuitOpen: true }))

    expect(weatherOver([away, away]).allCircuitsOpen).toBe(true)
    expect(weatherOver([away, seen(0, worker())]).allCircuitsOpen).toBe(false)
  })
})
