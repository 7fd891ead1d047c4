import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { EVENTS } from './events.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(`${repository}/docs/logs.md`, 'utf8')

it('docs/logs.md lists every event once, at its level, and no other', () => {
  const rows = [...page.matchAll(/^\| `([a-z]+\.[a-z_]+)` \| (\w+) \|/gm)].map(([, event, level]) => [event, level])

  expect(rows.sort()).toEqual(Object.entries(EVENTS).sort())
})

it('every event is told somewhere: by its name, or as a transition by the state that it leads to', () => {
  const files = globSync('{apps,packages}/*/src/*.ts', { cwd: repository })
  const sources = files.filter((name) => !/test|events\.ts$/.test(name))
  const text = sources.map((name) => readFileSync(`${repository}/${name}`, 'utf8')).join('\n')

  const untold = Object.keys(EVENTS).filter((event) => !text.includes(`'${event}'`))
  expect(untold.map((event) => event.replace('payment.', '')).sort()).toEqual(
    ['approved', 'declined', 'reversed', 'reversing', 'review', 'sending', 'unconfirmed'].sort(),
  )
})
