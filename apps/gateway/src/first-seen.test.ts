import { describe, expect, it } from 'vitest'
import { createFirstSeen } from './first-seen.ts'

function firstSeenAt(limit?: number) {
  const clock = { ms: 0 }
  const firstSeen = createFirstSeen({ now: () => clock.ms, rememberMs: 100, ...(limit && { limit }) })
  return { clock, firstSeen }
}

describe('a payment that could not be looked up', () => {
  it('was first seen when it was first asked for, however often it is asked again', () => {
    const { clock, firstSeen } = firstSeenAt()
    clock.ms = 10
    firstSeen('p_1')

    clock.ms = 60
    firstSeen('p_1')
    clock.ms = 109

    expect(firstSeen('p_1')).toBe(10)
  })

  it('has a time of its own', () => {
    const { clock, firstSeen } = firstSeenAt()
    firstSeen('p_1')

    clock.ms = 50

    expect(firstSeen('p_2')).toBe(50)
    expect(firstSeen('p_1')).toBe(0)
  })

  it('is forgotten after a while, and then new', () => {
    const { clock, firstSeen } = firstSeenAt()
    firstSeen('p_1')

    clock.ms = 100

    expect(firstSeen('p_1')).toBe(100)
    expect(firstSeen('p_1')).toBe(100)
  })

  it('is forgotten when too many others came after it, the oldest first', () => {
    const { clock, firstSeen } = firstSeenAt(2)
    firstSeen('p_1')
    clock.ms = 1
    firstSeen('p_2')
    clock.ms = 2
    firstSeen('p_3')

    expect(firstSeen('p_2')).toBe(1)
    expect(firstSeen('p_3')).toBe(2)
    expect(firstSeen('p_1')).toBe(2)
  })

  it('is not forgotten early because the time of others has passed', () => {
    const { clock, firstSeen } = firstSeenAt()
    firstSeen('p_1')
    clock.ms = 99
    firstSeen('p_2')

    for (clock.ms = 100; clock.ms < 198; clock.ms += 1) firstSeen(`p_${clock.ms}`)

    expect(firstSeen('p_2')).toBe(99)
  })

  it('takes little time to forget, however many there are', () => {
    const { firstSeen } = firstSeenAt(100_000)
    for (let count = 0; count < 100_000; count += 1) firstSeen(`p_${count}`)
    const started = process.cpuUsage()

    for (let count = 100_000; count < 200_000; count += 1) firstSeen(`p_${count}`)

    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(500)
  })
})
