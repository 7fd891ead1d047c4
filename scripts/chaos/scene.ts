import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Stage } from './stage.ts'

/** What an act may break, and how long. */
export type Scene = {
  stage: Stage
  random: Random
  /** The length of one try. */
  tryMs: number
  /** How long the act lasts, in tries: from, to. */
  lasts: Lasts
  /** Nothing is stopped or held back for longer: half of ABSENCE_MARGIN at most. */
  pauseLimitMs: number
  /** Aborted when the run is over: every act then ends early and puts back what it took. */
  over: AbortSignal
  /** Notes what is done, and to whom. */
  note: (what: string) => void
  killed: () => void
}

export type Lasts = readonly [number, number]

/** Breaks something, waits, and puts it back. */
export type Break = (scene: Scene) => Promise<void>

/** How long it stays broken, in ms. */
export function duration({ random, lasts, tryMs, pauseLimitMs }: Scene): number {
  return Math.round(Math.min(random.between(...lasts) * tryMs, pauseLimitMs))
}

/** Waits, but not beyond the end of the run. */
export async function hold({ over }: Scene, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: over }).catch(() => undefined)
}
