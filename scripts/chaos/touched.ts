import type { Deed } from './nemesis.ts'
import type { Payment } from './oracle.ts'

/** The kind of the faults that PayConex keeps for single payments. */
export const PAYCONEX_ONE = 'payconex_for_one'

/** Which kinds of fault a payment met: every deed that was there, or echoed, at any time from its first call to the end of
 * its last one. */
export function createTouch(deeds: readonly Deed[]): (payment: Payment) => Set<string> {
  const sorted = [...deeds].sort((one, other) => one.from - other.from)
  const longest = Math.max(0, ...sorted.map(({ from, end }) => end - from))
  return ({ calls }) => {
    const begun = Math.min(...calls.map((call) => call.begun))
    const ended = Math.max(...calls.map((call) => call.ended))
    const met = new Set<string>(calls.some(({ fault }) => fault) ? [PAYCONEX_ONE] : [])
    for (let at = firstFrom(sorted, begun - longest); at < sorted.length; at++) {
      const deed = sorted[at] as Deed
      if (deed.from > ended) break
      if (deed.end >= begun) met.add(deed.kind)
    }
    return met
  }
}

/** The first deed that began at this time or later. */
function firstFrom(sorted: readonly Deed[], time: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as Deed).from < time) low = middle + 1
    else high = middle
  }
  return low
}
