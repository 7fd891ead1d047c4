import type { StartRedis } from '../redis/redis.ts'

/** What a run found, ready to be shown on a terminal, as JSON or on the page. */
export type Result = {
  title: string
  /** How it was measured, in sentences. */
  notes: readonly string[]
  tables: readonly Table[]
  charts: readonly Chart[]
  goals: readonly Goal[]
  /** Everything, for programs. */
  figures: unknown
}

export type Table = { head: readonly string[]; rows: readonly (readonly string[])[] }

export type Chart = {
  name: string
  title: string
  /** Bars lie, one for each `x`, and their series are put end to end. */
  kind: 'bars' | 'lines'
  x: string
  y: string
  points: readonly { x: number | string; y: number; series: string }[]
}

export type Goal = { figure: string; goal: string; value: string; isMet: boolean }

/** What every run is told. */
export type Settings = {
  rounds?: number | undefined
  seconds?: number | undefined
  minutes?: number | undefined
  callers?: number | undefined
  rate?: number | undefined
  payments?: number | undefined
  payconexMs?: number | undefined
  concurrency?: number | undefined
  times?: number | undefined
  say: (line: string) => void
  startRedis?: StartRedis | undefined
}

export type Run = (settings: Settings) => Promise<Result>

/** A goal of the form: at most so much. */
export function atMost(figure: string, limit: number, value: number, write: (value: number) => string = short): Goal {
  return { figure, goal: `<= ${write(limit)}`, value: write(value), isMet: value <= limit }
}

/** Three figures are all that a measurement is good for. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

export const milliseconds = (value: number): string => `${short(value)} ms`

const MEBIBYTE = 1024 * 1024

export const mebibytes = (bytes: number | undefined): string =>
  bytes === undefined ? '-' : `${Math.round(bytes / MEBIBYTE)} MiB`
