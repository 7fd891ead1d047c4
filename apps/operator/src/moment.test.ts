import { describe, expect, it } from 'vitest'
import { duration, moment, relative, since } from './moment.ts'

const NOW = Date.parse('2026-11-29T12:00:00Z')

describe('a time', () => {
  it('is told both ways', () => {
    expect(moment(NOW - 184_000, NOW)).toBe('2026-11-29 11:56:56Z, 3 min 4 s ago')
    expect(moment(NOW + 90_000, NOW)).toBe('2026-11-29 12:01:30Z, in 1 min 30 s')
    expect(relative(NOW, NOW)).toBe('now')
  })

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [60_000, '1 min'],
    [3_660_000, '1 h 1 min'],
    [3_605_000, '1 h'],
    [90_000_000, '1 d 1 h'],
  ])('of %i ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it.each([
    ['30s', NOW - 30_000],
    ['15m', NOW - 900_000],
    ['2h', NOW - 7_200_000],
    ['7d', NOW - 604_800_000],
    ['2026-11-29T08:00Z', Date.parse('2026-11-29T08:00Z')],
    ['2026-11-01', Date.parse('2026-11-01')],
    ['yesterday', undefined],
    ['2026-13-01', undefined],
    ['12', undefined],
  ])('since %s', (text, at) => {
    expect(since(text, NOW)).toBe(at)
  })
})
