import type { Contender, Kind } from './contender.ts'
import { cpuMicroseconds, residentBytes } from './cpu.ts'
import type { Load } from './load.ts'
import type { RedisCounts } from './redis-meter.ts'
import { sum } from './statistics.ts'

/** What a load cost. `perPayment`: of each approved one. */
export type Measured = {
  load: Load
  approvedPerSecond: number
  perPayment: {
    /** Microseconds, by kind and in all. */
    cpu: Partial<Record<Kind, number>>
    cpuInAll: number
    redis: RedisCounts
  }
  /** Of all processes of a kind, when the load had ended. */
  residentBytes: Partial<Record<Kind, number>>
}

/** Puts a load on a contender and reads the books before and after it. Neither the load's own process nor PayConex is counted. */
export async function measure(contender: Contender, work: (contender: Contender) => Promise<Load>): Promise<Measured> {
  const before = await readBooks(contender)
  const load = await work(contender)
  const after = await readBooks(contender)
  const each = Math.max(1, load.counts.approved)
  const cpu = mapValues(after.cpu, (value, kind) => (value - (before.cpu[kind] ?? 0)) / each)
  return {
    load,
    approvedPerSecond: load.counts.approved / load.seconds,
    perPayment: {
      cpu,
      cpuInAll: sum(Object.values(cpu)),
      redis: mapValues(after.redis, (value, name) => (value - before.redis[name]) / each),
    },
    residentBytes: await readMemory(contender),
  }
}

async function readBooks(contender: Contender) {
  const counts = await Promise.all(
    contender.redises.map(async ({ kind, meter }) => [kind, await meter.read()] as const),
  )
  const cpu: Partial<Record<Kind, number>> = {
    ...ofProcesses(contender, cpuMicroseconds),
    ...Object.fromEntries(counts.map(([kind, { cpuMicroseconds: used }]) => [kind, used])),
  }
  return { cpu, redis: counts.reduce((total, [, each]) => mapValues(total, (value, name) => value + each[name]), NONE) }
}

const NONE: RedisCounts = { commands: 0, scripts: 0, bytesIn: 0, bytesOut: 0, cpuMicroseconds: 0 }

export async function readMemory(contender: Contender): Promise<Partial<Record<Kind, number>>> {
  const redises = await Promise.all(
    contender.redises.map(async ({ kind, meter }) => [kind, await meter.residentBytes()] as const),
  )
  return { ...ofProcesses(contender, residentBytes), ...Object.fromEntries(redises) }
}

/** A figure of all processes of a kind together. */
function ofProcesses({ gateways, workers }: Contender, read: (pid: number) => number): Partial<Record<Kind, number>> {
  const inAll = (members: readonly { pid: number }[]) => sum(members.map(({ pid }) => read(pid)))
  return { gateway: inAll(gateways), ...(workers.length > 0 && { worker: inAll(workers) }) }
}

const mapValues = <Name extends string, Values extends Partial<Record<Name, number>>>(
  from: Values & Partial<Record<Name, number>>,
  change: (value: number, name: Name) => number,
): Values =>
  Object.fromEntries(
    Object.entries(from).map(([name, value]) => [name, change(value as number, name as Name)]),
  ) as Values
