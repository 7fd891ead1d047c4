import { expect, it } from 'vitest'
import { HELP, readOptions } from './options.ts'
import { runs } from './runs.ts'

it('without a word the contenders are compared', () => {
  expect(readOptions([])).toMatchObject({ run: 'comparison', write: false, strict: false })
})

it('a run and its options are read', () => {
  const options = readOptions(['soak', '--minutes', '0.5', '--payconex-ms', '20', '--strict'])

  expect(options).toMatchObject({ run: 'soak', strict: true, settings: { minutes: 0.5, payconexMs: 20 } })
})

it.each([
  [['wings'], /the run must be one of comparison, fan-out/],
  [['soak', 'overload'], /the run must be one of/],
  [['toString'], /the run must be one of/],
  [['--rounds', '0'], /--rounds/],
  [['--rounds', '1.5'], /--rounds must be a whole number/],
  [['--seconds', 'some'], /--seconds/],
])('%j is refused by name', (args, message) => {
  expect(() => readOptions(args)).toThrow(message)
})

it('the help names every run', () => {
  for (const name of Object.keys(runs)) expect(HELP).toContain(`\n  ${name} `)
})
