/** One figure over all rounds. */
export type Spread = { median: number; lowest: number; highest: number }

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.filter(Number.isFinite).toSorted((one, other) => one - other)
  return { median: medianOf(sorted), lowest: sorted[0] ?? Number.NaN, highest: sorted.at(-1) ?? Number.NaN }
}

/** Of sorted numbers. */
function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The values of two runs in the same round compared, round by round: what the machine was busy with in a round, both had. */
export function pairwise<Round>(
  ours: readonly Round[],
  theirs: readonly Round[],
  compare: (ours: Round, theirs: Round) => number,
): number[] {
  return ours.flatMap((round, nth) => (theirs[nth] === undefined ? [] : [compare(round, theirs[nth])]))
}
