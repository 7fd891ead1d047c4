/** Chance that can be repeated: the same seed gives the same numbers. `Math.random` has no seed, and a run that found
 * something must be run again. */
export type Random = ReturnType<typeof createRandom>

/** A fork named differently is another sequence, so that a draw more here does not change what is drawn there. */
export function createRandom(seed: number, name = '') {
  let state = hash(`${seed}:${name}`)
  /** From 0 up to, but never, 1 (Mulberry32). */
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    fork: (part: string | number) => createRandom(seed, `${name}/${part}`),
    isHit: (share: number) => next() < share,
    between: (low: number, high: number) => low + next() * (high - low),
    whole: (low: number, high: number) => Math.floor(low + next() * (high - low + 1)),
    pick: <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item,
    /** One of the items, each as likely as its weight says. */
    weighted: <Item extends { weight: number }>(items: readonly Item[]): Item => {
      let left = next() * items.reduce((sum, { weight }) => sum + weight, 0)
      for (const item of items) {
        left -= item.weight
        if (left < 0) return item
      }
      return items.at(-1) as Item
    },
  }
}

/** FNV-1a, of 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value
}
