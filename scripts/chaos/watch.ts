import { setTimeout as sleep } from 'node:timers/promises'
import type { LedgerBook } from './ledger-book.ts'

export type Watch = {
  /** The longest time in ms for which a payment was seen `unconfirmed` (or being reversed) in a row. */
  longestMs: () => number
  /** Resolves when nothing is open any more, or after the limit. */
  settled: (limitMs: number) => Promise<boolean>
  stop: () => Promise<void>
}

const LOOK_MS = 200
const UNCLEAR = ['unconfirmed', 'reversing']

/** Keeps an eye on the payments that are open, from outside. */
export function watchOpen(book: LedgerBook): Watch {
  const since = new Map<string, number>()
  let longestMs = 0
  let openNow = Number.POSITIVE_INFINITY
  let isEnding = false
  const watching = watch()

  async function watch(): Promise<void> {
    while (!isEnding) {
      // While the ledger is away nothing is seen, and nothing changes.
      await book.open().then(look, () => undefined)
      await sleep(LOOK_MS)
    }
  }

  function look(open: ReadonlyMap<string, string>): void {
    openNow = open.size
    const unclear = [...open].filter(([, state]) => UNCLEAR.includes(state)).map(([key]) => key)
    const gone = [...since.keys()].filter((key) => !unclear.includes(key))
    for (const key of gone) since.delete(key)
    for (const key of unclear) {
      const first = since.get(key) ?? performance.now()
      since.set(key, first)
      longestMs = Math.max(longestMs, performance.now() - first)
    }
  }

  return {
    longestMs: () => longestMs,
    settled: async (limitMs) => {
      const deadline = performance.now() + limitMs
      openNow = Number.POSITIVE_INFINITY
      while (performance.now() < deadline) {
        if (openNow === 0) return true
        await sleep(LOOK_MS)
      }
      return false
    },
    stop: async () => {
      isEnding = true
      await watching
    },
  }
}
