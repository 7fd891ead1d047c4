import { expect, it } from 'vitest'
import { cpuMicroseconds, residentBytes } from './cpu.ts'

it('the CPU time that a process spends, and the memory it has, are seen from outside', () => {
  const before = cpuMicroseconds(process.pid)
  const start = process.cpuUsage()
  while (process.cpuUsage(start).user < 100_000);

  expect(cpuMicroseconds(process.pid) - before).toBeGreaterThanOrEqual(80_000)
  expect(residentBytes(process.pid)).toBeGreaterThan(20 * 1024 * 1024)
})
