import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'

const { now, sleep, alarm } = systemClock

describe('the clock of a process', () => {
  it('only grows', () => {
    const before = now()

    expect(now()).toBeGreaterThanOrEqual(before)
  })

  it('sleeps for as long as it is told', async () => {
    const before = now()

    await sleep(20)

    expect(now() - before).toBeGreaterThan(18)
  })

  it('is woken early by a signal, without an error', async () => {
    const waking = new AbortController()
    const before = now()
    const slept = sleep(60_000, waking.signal)

    waking.abort()

    await expect(slept).resolves.toBeUndefined()
    expect(now() - before).toBeLessThan(1000)
  })

  it('does not fall asleep at all when the signal came before', async () => {
    const before = now()

    await sleep(60_000, AbortSignal.abort())

    expect(now() - before).toBeLessThan(1000)
  })

  it('rings once, when it is time', async () => {
    const before = now()
    let rung = 0

    await new Promise<void>((resolve) => {
      alarm(20, () => {
        rung += 1
        resolve()
      })
    })

    expect(now() - before).toBeGreaterThan(18)
    expect(rung).toBe(1)
  })

  it('does not ring when it was called off', async () => {
    let rung = 0
    const callOff = alarm(1, () => {
      rung += 1
    })

    callOff()
    await sleep(20)

    expect(rung).toBe(0)
  })
})
