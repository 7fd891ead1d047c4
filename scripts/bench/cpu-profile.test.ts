import { expect, it } from 'vitest'
import { type CpuProfile, selfTimes } from './cpu-profile.ts'

const frame = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
})

const PROFILE: CpuProfile = {
  nodes: [
    frame(1, '(root)', ''),
    frame(2, '(idle)', ''),
    frame(3, 'parse', 'file:///srv/app/node_modules/zod/v4/core/parse.js'),
    frame(4, 'seal', 'file:///srv/app/packages/payment-queue/src/seal.ts'),
  ],
  startTime: 1_000,
  samples: [3, 4, 2, 4, 3],
  timeDeltas: [100, 100, 200, 100, 300],
}

it('time goes to the function that was seen when it began, and idle time to nobody', () => {
  const { byPlace, byFunction } = selfTimes(PROFILE, { from: 0, to: 10_000 })

  expect(byPlace).toEqual([
    ['packages/payment-queue/src/seal.ts', 500],
    ['zod', 100],
  ])
  expect(byFunction[0]).toEqual(['seal packages/payment-queue/src/seal.ts:10', 500])
})

it('what was before and after the span is left out', () => {
  const { byPlace } = selfTimes(PROFILE, { from: 1_150, to: 1_450 })

  expect(byPlace).toEqual([['packages/payment-queue/src/seal.ts', 200]])
})
