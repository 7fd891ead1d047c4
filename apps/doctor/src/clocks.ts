import { type Finding, ok, warning } from './finding.ts'

/** How far another clock is before this machine's, and by how much that may be wrong. */
export type ClockReading = { whose: string; aheadMs: number; uncertainMs: number }

/** A clock that was asked between two looks at ours. `resolutionMs`: it tells no parts of this. */
export function readingOf(whose: string, told: number, [asked, heard]: readonly [number, number], resolutionMs = 0) {
  const uncertainMs = (heard - asked + resolutionMs) / 2
  return { whose, aheadMs: told + resolutionMs / 2 - (asked + heard) / 2, uncertainMs }
}

const TOLERATED_MS = 2000

/** Deadlines count in the ledger's clock, certificates and logs in this machine's. Where all others agree, ours is the wrong one. */
export function judgeClocks(readings: readonly ClockReading[]): Finding[] {
  const apart = readings.filter(({ aheadMs, uncertainMs }) => Math.abs(aheadMs) - uncertainMs > TOLERATED_MS)
  if (apart.length === 0) return readings.map((reading) => ok('clocks', spoken(reading)))
  const first = apart[0] as ClockReading
  const areAlike = apart.every(({ aheadMs }) => Math.abs(aheadMs - first.aheadMs) <= TOLERATED_MS)
  const isOurs = readings.length > 1 && apart.length === readings.length && areAlike
  const calm = readings.filter((reading) => !apart.includes(reading)).map((reading) => ok('clocks', spoken(reading)))
  if (isOurs) return [warning('clocks', `${spoken(first)}, and so are all others`, `set this machine's clock: ${HOW}`)]
  return [...calm, ...apart.map((reading) => warning('clocks', spoken(reading), `set one of the two: ${HOW}`))]
}

const HOW = 'let chrony or systemd-timesyncd keep it'

function spoken({ whose, aheadMs, uncertainMs }: ClockReading): string {
  const off = Math.max(0, Math.abs(aheadMs) - uncertainMs)
  if (off < 1000)
    return `${whose} and this machine agree within ${Math.max(1, Math.ceil(Math.abs(aheadMs) + uncertainMs))} ms`
  return `${whose} is ${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`
}
