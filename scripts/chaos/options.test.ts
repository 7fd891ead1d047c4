import { describe, expect, it } from 'vitest'
import { HELP, readOptions } from './options.ts'

describe('the options of npm run chaos', () => {
  it('have values by default', () => {
    expect(readOptions([])).toMatchObject({
      payments: 1000,
      seed: 1,
      minutes: Number.POSITIVE_INFINITY,
      late: 'report',
    })
  })

  it('are read', () => {
    const args = '--payments 100000 --seed 7 --minutes 30 --break fence --time-scale 0.1 --absence-margin 6 --rush'

    expect(readOptions(args.split(' '))).toMatchObject({
      payments: 100_000,
      seed: 7,
      minutes: 30,
      broken: 'fence',
      timeScale: 0.1,
      absenceMarginMs: 6_000,
      rush: true,
    })
  })

  it('are explained, each of them', () => {
    expect(readOptions(['--help'])).toBe('help')
    for (const name of [
      'payments',
      'seed',
      'minutes',
      'rate',
      'time-scale',
      'absence-margin',
      'late',
      'rush',
      'calm',
      'break',
    ]) {
      expect(HELP).toContain(`--${name} `)
    }
  })

  it.each([
    [['--payments', '0'], /--payments must be a number/],
    [['--payments', 'many'], /--payments must be a number/],
    [['--time-scale', '2'], /--time-scale must be a number/],
    [['--break', 'everything'], /--break must be one of fence, attempt, lookup/],
    [['--what'], /--what/],
  ])('%j is refused, and says why', (args, says) => {
    expect(() => readOptions(args)).toThrow(says)
  })
})
