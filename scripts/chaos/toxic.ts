import type { Random } from './random.ts'

/** Towards the server, or back from it. */
export type Way = 'to' | 'back'

type Aim = {
  /** Both ways by default. */
  way?: Way
  /** This part of the connections; all by default. */
  share?: number
  /** Only so many connections, the first ones that it meets. */
  next?: number
}

/** What can befall a connection. Names as in Toxiproxy, where it has the same. */
export type Toxic = Aim &
  (
    | { kind: 'latency'; ms: number; jitterMs?: number }
    | { kind: 'bandwidth'; bytesPerSecond: number }
    /** Tiny packets, with a pause after each. */
    | { kind: 'slicer'; bytes: number; pauseMs?: number }
    /** So many bytes come through, then the connection is reset: the middle of a message. */
    | { kind: 'limit_data'; bytes: number }
    /** Nothing comes through any more, and nobody is told: half-open. For good, also after `heal`. */
    | { kind: 'timeout' }
    /** Nothing comes through until `heal`; then all of it arrives, late. */
    | { kind: 'stall' }
    /** The request arrives, and is answered; in place of the answer's first byte comes an RST. */
    | { kind: 'cut' }
    /** The request arrives; the answer goes nowhere, and the connection stays open. */
    | { kind: 'swallow' }
    /** An RST for open connections at once, for new ones with their first byte. */
    | { kind: 'reset' }
    /** Nobody listens; what was open is reset. */
    | { kind: 'down' }
  )

export type Kind = Toxic['kind']

/** The toxics of one kind that concern a connection and a way: at most one. */
export type Toxics = { find: <K extends Kind>(kind: K, way: Way) => Extract<Toxic, { kind: K }> | undefined }

/** The toxics that are in force, and whom they have hit. */
export function createArmed() {
  let armed: readonly { toxic: Toxic; left: number }[] = []
  let hits = 0

  /** Each toxic decides once per connection whether it hits it, when it first could. */
  function forConnection(random: Random): Toxics {
    const decided = new Map<Toxic, boolean>()
    const decide = (entry: { toxic: Toxic; left: number }): boolean => {
      const isHit = entry.left > 0 && random.isHit(entry.toxic.share ?? 1)
      decided.set(entry.toxic, isHit)
      if (isHit) {
        entry.left -= 1
        hits += 1
      }
      return isHit
    }
    return {
      find: <K extends Kind>(kind: K, way: Way) =>
        armed.find((entry) => concerns(entry.toxic, kind, way) && (decided.get(entry.toxic) ?? decide(entry)))?.toxic as
          | Extract<Toxic, { kind: K }>
          | undefined,
    }
  }

  return {
    set: (toxics: readonly Toxic[]) => {
      armed = toxics.map((toxic) => ({ toxic, left: toxic.next ?? Number.POSITIVE_INFINITY }))
    },
    forConnection,
    hits: () => hits,
  }
}

/** What befalls answers befalls them on the way back, whatever else is said. */
const ANSWERS: readonly Kind[] = ['cut', 'swallow']

const concerns = (toxic: Toxic, kind: Kind, way: Way): boolean =>
  toxic.kind === kind && (ANSWERS.includes(kind) ? way === 'back' : (toxic.way ?? way) === way)
