import { expect, test } from 'vitest'
import { createFaults, faultRequest } from './faults.ts'

const saleOf = (custom_id: string, transaction_amount = '10.00') => ({
  api: 'qsapi' as const,
  kind: 'sale',
  fields: { custom_id, transaction_amount },
})

const armed = (...requests: object[]) => {
  const faults = createFaults()
  for (const request of requests) faults.add(faultRequest.parse(request))
  return faults
}

const hits = (faults: ReturnType<typeof createFaults>, count: number) =>
  Array.from({ length: count }, () => faults.pick(saleOf('a'))?.name ?? '-').join(' ')

test('a fault hits the next request unless told otherwise, and is gone', () => {
  const faults = armed({ fault: 'hang' })

  expect(hits(faults, 3)).toBe('hang - -')
  expect(faults.list()).toEqual([])
})

test('faults are used up in the order in which they came', () => {
  expect(hits(armed({ fault: 'hang', next: 2 }, { fault: '500' }), 4)).toBe('hang hang 500 -')
})

test('a share of requests is hit, the same ones for the same seed', () => {
  const fault = { fault: 'hang', share: 0.25, seed: 7 }

  const first = hits(armed(fault), 400)

  expect(first).toBe(hits(armed(fault), 400))
  expect(first).not.toBe(hits(armed({ ...fault, seed: 8 }), 400))
  expect(first.split('hang').length - 1).toBeGreaterThan(70)
  expect(first.split('hang').length - 1).toBeLessThan(130)
})

test('a share of 1 hits all, of 0 none, and next limits it', () => {
  expect(hits(armed({ fault: 'hang', share: 1 }), 3)).toBe('hang hang hang')
  expect(hits(armed({ fault: 'hang', share: 0 }), 3)).toBe('- - -')
  expect(hits(armed({ fault: 'hang', share: 1, next: 2 }), 3)).toBe('hang hang -')
})

test('a fault for one custom_id leaves the others alone', () => {
  const faults = armed({ fault: 'hang', custom_id: 'b' })

  expect(['a', 'b', 'b'].map((id) => faults.pick(saleOf(id))?.name)).toEqual([undefined, 'hang', undefined])
})

test.each([
  ['sale', true],
  ['qsapi', true],
  ['any', true],
  ['store', false],
  ['tsapi', false],
  ['status', false],
])('a fault on %s concerns a sale: %s', (on, concerned) => {
  expect(armed({ fault: 'hang', on }).pick(saleOf('a')) !== undefined).toBe(concerned)
})

test('an armed fault comes before the one of a magic amount, which comes back every time', () => {
  const faults = armed({ fault: 'hang' })
  const names = [1, 2, 3].map(() => faults.pick(saleOf('a', '1.02'))?.name)

  expect(names).toEqual(['hang', 'reset_after_commit', 'reset_after_commit'])
})

test('the refund of a magic amount is an ordinary refund', () => {
  expect(armed().pick({ ...saleOf('a', '1.02'), kind: 'refund' })).toBeUndefined()
})

test('a fault for one account hits no other', () => {
  const faults = armed({ fault: 'hang', on: 'status', account_id: '120615000001' })
  const status = (account_id: string) => ({ api: 'tsapi' as const, kind: 'status', fields: { account_id } })

  expect(faults.pick(status('120615000002'))).toBeUndefined()
  expect(faults.pick(status('120615000001'))).toMatchObject({ name: 'hang' })
})
