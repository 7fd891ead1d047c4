import { setTimeout as sleep } from 'node:timers/promises'
import type { Act } from './acts.ts'
import type { Drill } from './drill.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import type { Stage } from './stage.ts'

/** When a fault was there, in ms of this machine's clock; its echo counts as part of it. */
export type Deed = { kind: string; from: number; to: number; end: number; what: string }

export type NemesisOptions = Pick<Drill, 'acts' | 'atOnce' | 'rest' | 'restFirstMs' | 'isOnce'> & {
  stage: Stage
  random: Random
  /** The length of one try. */
  tryMs: number
  pauseLimitMs: number
}

export type Nemesis = {
  deeds: () => readonly Deed[]
  kills: () => number
  /** Resolves when nothing is broken by it any more. */
  stop: () => Promise<void>
}

/** Breaks things until it is stopped: rounds of some acts side by side, with a rest after each. What comes next follows from
 * the seed. Every kind has its turns: acts are dealt from a shuffled deck, as often as their weight says. */
export function releaseNemesis({
  stage,
  acts,
  random,
  atOnce,
  rest,
  isOnce = false,
  ...times
}: NemesisOptions): Nemesis {
  const over = new AbortController()
  const deck = createDeck(acts, random.fork('deck'), isOnce)
  const deeds: Deed[] = []
  let kills = 0
  const raging = rage()
  // A thing that cannot be put back ends the run, when it asks.
  raging.catch(() => undefined)

  async function rage(): Promise<void> {
    await pause(times.restFirstMs)
    for (let round = 0; !over.signal.aborted; round++) {
      const chance = random.fork(round)
      const dealt = deck(chance.whole(...atOnce))
      if (dealt.length === 0) return
      await Promise.all(dealt.map((act, nth) => perform(act, chance.fork(nth))))
      await pause(chance.between(...rest))
    }
  }

  async function perform(act: Act, chance: Random): Promise<void> {
    await pause(chance.between(0, times.tryMs))
    if (over.signal.aborted) return
    const deed: Deed = {
      kind: act.kind,
      from: Date.now(),
      to: Number.POSITIVE_INFINITY,
      end: Number.POSITIVE_INFINITY,
      what: '',
    }
    deeds.push(deed)
    // An act may have to wait for its moment.
    const note = (what: string) => {
      deed.from = Date.now()
      deed.what = what
    }
    const killed = () => {
      kills += 1
    }
    const scene: Scene = { stage, random: chance, lasts: act.lasts, ...times, over: over.signal, note, killed }
    try {
      await act.run(scene)
    } finally {
      deed.to = Date.now()
      deed.end = deed.to + act.echoMs
    }
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  }

  return {
    deeds: () => deeds,
    kills: () => kills,
    stop: async () => {
      over.abort()
      await raging
    },
  }
}

/** Deals so many acts; when all were dealt as often as they weigh, they are shuffled anew, unless once is enough. Of two acts
 * that handle the same thing, which would put it back from under each other, one waits for its next turn. */
function createDeck(acts: readonly Act[], random: Random, isOnce: boolean): (count: number) => Act[] {
  const shuffled = () =>
    acts
      .flatMap((act) => Array.from({ length: act.weight }, () => ({ act, at: random.next() })))
      .sort((one, other) => one.at - other.at)
      .map(({ act }) => act)
  const left = shuffled()
  return (count) => {
    const dealt: Act[] = []
    const isFree = (act: Act) => !dealt.some((other) => toolOf(other) === toolOf(act))
    if (left.length < count && !isOnce) left.push(...shuffled())
    for (const act of left) if (dealt.length < count && isFree(act)) dealt.push(act)
    for (const act of dealt) left.splice(left.indexOf(act), 1)
    return dealt
  }
}

const toolOf = ({ kind }: Act): string => kind.replace(/^(kill|stop|cut|slow)_/, '').replace('workers_gone', 'worker')
