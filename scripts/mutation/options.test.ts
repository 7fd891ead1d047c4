import { expect, it } from 'vitest'
import { readOptions } from './options.ts'

it('without a word mutates all TypeScript, two mutants at once', () => {
  expect(readOptions([])).toEqual({ what: 'typescript', only: undefined, concurrency: 2, guards: false, fresh: false })
})

it('mutates the guards of one Lua script when asked to', () => {
  expect(readOptions(['lua', '--guards', '--only', 'fence'])).toMatchObject({
    what: 'lua',
    only: 'fence',
    guards: true,
  })
})

it.each([['rust'], ['lua fence'], ['--concurrency=0'], ['--concurrency=many'], ['--unknown']])('refuses %s', (line) => {
  expect(() => readOptions(line.split(' '))).toThrow(TypeError)
})
