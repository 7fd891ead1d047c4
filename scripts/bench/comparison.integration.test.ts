import { expect, it } from 'vitest'
import { startTestRedis } from '../test/servers.ts'
import { compare } from './comparison.ts'
import type { Figures } from './comparison-tables.ts'
import { contenderNames } from './contender.ts'
import { showResult } from './show.ts'

const TINY = { rounds: 1, seconds: 0.6, callers: 8, payments: 60, rate: 40, payconexMs: 5 }

it('a tiny comparison has every figure, and each of them can be true', { timeout: 60_000 }, async () => {
  const result = await compare({ ...TINY, say: () => undefined, startRedis: startTestRedis })

  const { cpuByKind, memoryByKind, perSecond, latency, redis, ratio, unpaid } = result.figures as Figures
  for (const name of contenderNames) {
    expect(unpaid[name]).toBe(0)
    expect(perSecond[name].median).toBeGreaterThan(1)
    // A process that has just started spends milliseconds on a payment; the clock ticks every ten.
    expect(cpuByKind[name].gateway.median).toBeGreaterThan(0)
    expect(memoryByKind[name].gateway.median).toBeGreaterThan(20 * 1024 * 1024)
    for (const load of ['single', 'slow', 'steady'] as const) {
      const { p50, p99 } = latency[name][load]
      expect(p50.median).toBeGreaterThan(0)
      expect(p99.median).toBeGreaterThanOrEqual(p50.median)
    }
    expect(latency[name].slow.p50.median).toBeGreaterThanOrEqual(TINY.payconexMs - 1)
  }
  expect(cpuByKind.ours['ledger Redis'].median).toBeGreaterThan(0)
  expect(redis.direct.commands.median).toBe(0)
  // One payment: BullMQ's scripts alone are more than ten commands; a card and its payment are some hundred bytes.
  for (const name of ['plain', 'ours'] as const) {
    expect(redis[name].commands.median).toBeGreaterThan(10)
    expect(redis[name].scripts.median).toBeGreaterThan(2)
    expect(redis[name].bytesIn.median).toBeGreaterThan(500)
    expect(redis[name].bytesOut.median).toBeGreaterThan(300)
    expect(redis[name].bytesOut.median).toBeLessThan(100_000)
  }
  expect(ratio.direct.median).toBeGreaterThan(1)
  expect(result.goals).toHaveLength(6)
  expect(showResult(result)).toContain('CPU per payment, ours / plain')
})
