import type { Deed } from './nemesis.ts'

/** A fault that nobody planned: this machine had no time for us. */
export const STARVED = 'starved'

const BEAT_MS = 20
const LATE_MS = 150
const ECHO_MS = 1_500

/** Notes when the machine leaves its programs waiting. With times shortened twentyfold, half a second without a processor is
 * what ten seconds would be in earnest: that a payment then fails says nothing about us. All processes of a run compete
 * alike, so what this one notices is what they have. */
export function watchMachine() {
  const deeds: Deed[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const late = performance.now() - last - BEAT_MS
    last = performance.now()
    if (late > LATE_MS) note(late)
  }, BEAT_MS)

  function note(late: number): void {
    const to = Date.now()
    deeds.push({ kind: STARVED, from: to - late, to, end: to + ECHO_MS, what: `for ${Math.round(late)} ms` })
  }

  return { deeds: (): readonly Deed[] => deeds, stop: () => clearInterval(timer) }
}
