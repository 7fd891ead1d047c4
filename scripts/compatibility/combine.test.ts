import { expect, test } from 'vitest'
import { combine } from './combine.ts'

const matrix = { redis: ['redis-7.0', 'redis-8', 'valkey-8'], nodes: [24, 22, 26] }

test('every Redis and every Node is tried, each change by itself', () => {
  const tried = combine({ ...matrix, cross: false })

  expect(tried).toEqual([
    { redis: 'redis-7.0', node: 24 },
    { redis: 'redis-7.0', node: 22 },
    { redis: 'redis-7.0', node: 26 },
    { redis: 'redis-8', node: 24 },
    { redis: 'valkey-8', node: 24 },
  ])
})

test('crossed, every Redis is tried with every Node', () => {
  expect(combine({ ...matrix, cross: true })).toHaveLength(9)
})
