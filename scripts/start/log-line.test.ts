import { expect, it } from 'vitest'
import { toHumanLine } from './log-line.ts'

it('turns an entry into a few words', () => {
  const entry = {
    level: 30,
    msg: 'approved',
    event: 'payment.approved',
    pid: 7,
    payment: 'p_1',
    method: 'charge',
    state: 'approved',
    ms: 57,
  }

  const line = toHumanLine('worker-1', JSON.stringify(entry))

  expect(line).toContain('worker-1')
  expect(line).toContain('approved charge 57 ms')
  expect(line).not.toContain('p_1')
})

it('passes on what a service says in its own words, such as why it cannot start', () => {
  const line = toHumanLine('gateway-1', 'the environment cannot be used:')

  expect(line).toContain('the environment cannot be used:')
})

it('leaves out what a Redis and the simulator say', () => {
  expect(toHumanLine('queue', '7:M # Server initialized')).toBeUndefined()
  expect(toHumanLine('simulator', 'listening on http://127.0.0.1:8081')).toBeUndefined()
})
