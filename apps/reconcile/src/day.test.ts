import { describe, expect, it } from 'vitest'
import { dayAt, daysBetween, isDay, shifted, startOf } from './day.ts'

const ZONE = 'America/Chicago'
const HOUR = 60 * 60 * 1000
const iso = (ms: number) => new Date(ms).toISOString()

describe('a day', () => {
  it('is a date that there is', () => {
    expect(['2026-11-28', '2028-02-29'].every(isDay)).toBe(true)
    expect(['2026-02-29', '2026-13-01', '2026-1-1', '20261128', 'today', ''].some(isDay)).toBe(false)
  })

  it.each([
    ['in winter', '2026-11-28', '2026-11-28T06:00:00.000Z', 24],
    ['in summer', '2026-07-04', '2026-07-04T05:00:00.000Z', 24],
    ['on which clocks are set forward', '2026-03-08', '2026-03-08T06:00:00.000Z', 23],
    ['on which clocks are set back', '2026-11-01', '2026-11-01T05:00:00.000Z', 25],
  ])('%s begins at its first moment there, and has its hours', (_, day, begin, hours) => {
    const [from, until] = [startOf(day, ZONE), startOf(shifted(day, 1), ZONE)]

    expect(iso(from)).toBe(begin)
    expect((until - from) / HOUR).toBe(hours)
    expect([dayAt(from - 1, ZONE), dayAt(from, ZONE), dayAt(until - 1, ZONE)]).toEqual([shifted(day, -1), day, day])
  })

  it('begins an hour late where midnight is left out', () => {
    expect(iso(startOf('2018-11-04', 'America/Sao_Paulo'))).toBe('2018-11-04T03:00:00.000Z')
  })

  it('has neighbours', () => {
    expect(daysBetween('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    expect(daysBetween('2026-03-02', '2026-03-01')).toEqual([])
  })
})
