import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Client, Told } from './client.ts'
import { closedLoop, openLoop, percentile } from './load.ts'

const clientOf = (pay: (nth: number) => Told | Promise<Told>): Client => {
  let begun = 0
  return { pay: async () => pay(begun++), close: async () => undefined }
}

/** Nothing else happens meanwhile: as when the machine stands still. */
function standStill(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

it('in an open loop whoever is sent late because another was slow is charged for it', async () => {
  const client = clientOf((nth) => {
    if (nth === 0) standStill(300)
    return 'approved'
  })

  const load = await openLoop({ client, perSecond: 100, payments: 25 })

  expect(load.counts.approved).toBe(25)
  expect(percentile(load.latency, 50)).toBeGreaterThan(50)
  expect(percentile(load.lateness, 50)).toBeGreaterThan(50)
})

it('in a closed loop each caller waits for his answer before he pays again', async () => {
  let waiting = 0
  let most = 0
  const client = clientOf(async () => {
    most = Math.max(most, ++waiting)
    await sleep(5)
    waiting -= 1
    return 'approved' as const
  })

  const load = await closedLoop({ client, callers: 3, seconds: 10, payments: 12 })

  expect(load.counts.approved).toBe(12)
  expect(most).toBe(3)
})

it('what was not approved is counted, but its time is nobody’s latency', async () => {
  const client = clientOf((nth) => (['approved', 'refused', 'failed'] as const)[nth % 3] ?? 'failed')

  const load = await closedLoop({ client, callers: 1, seconds: 10, payments: 9 })

  expect(load.counts).toEqual({ approved: 3, refused: 3, failed: 3 })
  expect(load.latency.count).toBe(3)
})
