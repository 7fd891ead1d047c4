import { expect, it } from 'vitest'
import { pairwise, spreadOf } from './statistics.ts'

it('the median is the one in the middle, or between the two in the middle', () => {
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, lowest: 10, highest: 30 })
  expect(spreadOf([40, 10, 20, 30])).toEqual({ median: 25, lowest: 10, highest: 40 })
})

it('a round without a figure is left out, and no round at all is no figure', () => {
  expect(spreadOf([1, Number.NaN, 3]).median).toBe(2)
  expect(spreadOf([]).median).toBeNaN()
})

it('what was measured in one round is compared in that round', () => {
  const ratios = pairwise([100, 300], [50, 100], (ours, theirs) => ours / theirs)

  expect(ratios).toEqual([2, 3])
})
