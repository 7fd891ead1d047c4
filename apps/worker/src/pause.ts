import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for the n-th of these pauses; the last one repeats. Spread by a quarter, so that workers do not come back all at
 * once. Cut short when the signal, if there is one, is aborted. */
export async function pause(pausesMs: readonly number[], n: number, signal?: AbortSignal): Promise<void> {
  const ms = pausesMs[Math.min(n, pausesMs.length - 1)] ?? 0
  const spread = 0.75 + Math.random() / 2
  await sleep(ms * spread, undefined, signal && { signal }).catch(() => undefined)
}
