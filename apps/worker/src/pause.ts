/** The n-th of these pauses; the last one repeats. Spread by a quarter, so that workers do not come back all at once. */
export function pauseMs(pausesMs: readonly number[], n: number): number {
  const ms = pausesMs[Math.min(n, pausesMs.length - 1)] ?? 0
  return ms * (0.75 + Math.random() / 2)
}
