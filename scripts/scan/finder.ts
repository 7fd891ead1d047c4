/** What was found: its kind for people, where it begins in the bytes, and how many it takes. Never what it is. */
export type Find = { kind: string; at: number; length: number }

/** Looks through bytes. Its finds depend on nothing further than `CONTEXT` bytes before their begin and `REACH` behind it, so that
 * bytes of any length can be looked through in pieces that overlap. */
export type Finder = (bytes: Buffer) => Find[]

export const CONTEXT = 256
export const REACH = 1024

/** All that any of the finders finds; a thing in one place is named once for each kind. */
export const together =
  (finders: readonly Finder[]): Finder =>
  (bytes) =>
    finders.flatMap((find) => find(bytes))

/** Looks through pieces as one. Memory holds one piece and the overlap. */
export function createSliding(find: Finder, onFind: (find: Find) => void) {
  let held: Buffer = Buffer.alloc(0)
  let heldAt = 0
  let seen = 0

  /** Reports what begins before `end`, and keeps what later finds may need. */
  function look(end: number): void {
    for (const found of find(held)) {
      const at = heldAt + found.at
      if (at >= seen && at < heldAt + end) onFind({ ...found, at })
    }
    seen = heldAt + end
    const from = Math.max(0, end - CONTEXT)
    heldAt += from
    held = Buffer.from(held.subarray(from))
  }

  return {
    add(piece: Buffer): void {
      held = held.length === 0 ? piece : Buffer.concat([held, piece])
      if (held.length > CONTEXT + 2 * REACH) look(held.length - REACH)
    },
    end: (): void => look(held.length),
  }
}
