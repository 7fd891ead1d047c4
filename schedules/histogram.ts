/** Every step that a payment can take by itself, and nothing else; the table in common.lua once more, by other hands. (What people do by
 * hand is tested with the scripts that do it: packages/ledger/src/by-hand.integration.test.ts.) */
export const EDGES = [
  '(none) -> accepted',
  'accepted -> accepted',
  'accepted -> sending',
  'accepted -> not_sent',
  'accepted -> declined',
  'sending -> sending',
  'sending -> approved',
  'sending -> declined',
  'sending -> unconfirmed',
  'sending -> review',
  'sending -> not_sent',
  'unconfirmed -> approved',
  'unconfirmed -> declined',
  'unconfirmed -> unconfirmed',
  'unconfirmed -> review',
  'unconfirmed -> not_sent',
  'approved -> reversing',
  'reversing -> reversing',
  'reversing -> reversed',
  'reversing -> review',
  'reversing -> approved',
  'not_sent -> accepted',
  'declined -> accepted',
] as const

export type Histogram = Map<string, number>

export function count(histogram: Histogram, name: string, by = 1): void {
  histogram.set(name, (histogram.get(name) ?? 0) + by)
}

export function merge(into: Histogram, from: Iterable<readonly [string, number]>): void {
  for (const [name, times] of from) count(into, name, times)
}

export function table(names: readonly string[], histogram: Histogram): string {
  const width = Math.max(...names.map((name) => name.length))
  return names.map((name) => `  ${name.padEnd(width)} ${String(histogram.get(name) ?? 0).padStart(9)}`).join('\n')
}
