import { createRecentCounts } from './recent-counts.ts'

export type CardTesting = ReturnType<typeof createCardTesting>

export type CardTestingOptions = {
  /** So many declines of a line within `windowMs` ... */
  declines: number
  /** ... while less than so many percent of its payments are approved. */
  approvedPercent: number
  windowMs: number
  now: () => number
}

/** Against trying out stolen cards: many declines and hardly an approval. Counts how payments of an account end that have the same
 * method and means, which together are a line, in this process; nothing of a card is looked at or kept, not even its hash (decision 14). */
export function createCardTesting({ declines, approvedPercent, windowMs, now }: CardTestingOptions) {
  const approved = createRecentCounts({ windowMs, now })
  const declined = createRecentCounts({ windowMs, now })
  return {
    wasApproved: (line: string): void => approved.add(line),
    wasDeclined: (line: string): void => declined.add(line),
    isSuspected(line: string): boolean {
      const no = declined.of(line)
      if (declines === 0 || no < declines) return false
      const yes = approved.of(line)
      return yes * 100 < approvedPercent * (yes + no)
    },
  }
}
