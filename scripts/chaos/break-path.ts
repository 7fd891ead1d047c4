import type { Toxic } from './proxy.ts'
import { type Break, duration, hold, type Scene } from './scene.ts'
import type { Link, Player } from './stage.ts'

/** One process, or all of a kind, lose the way to something; with `cut` it is lost, with `slow` it is bad. */
export const spoil =
  (of: 'workers' | 'gateways', link: Link, how: 'cut' | 'slow'): Break =>
  async (scene) => {
    const { stage, random, note } = scene
    const victims: readonly Player[] = random.isHit(0.3) ? stage[of] : [random.pick(stage[of])]
    const toxic = (how === 'cut' ? drawCut : drawSlow)(scene)
    const ms = duration(scene)
    note(`${victims.map(({ name }) => name)} ${JSON.stringify(toxic)} for ${ms} ms`)
    await Promise.all(victims.map(({ links }) => links[link]?.set(toxic)))
    await hold(scene, ms)
    await Promise.all(victims.map(({ links }) => links[link]?.heal()))
  }

function drawCut({ random }: Scene): Toxic {
  const one = random.pick<Toxic>([
    { kind: 'timeout' },
    { kind: 'stall' },
    { kind: 'reset' },
    { kind: 'down' },
    { kind: 'cut' },
    { kind: 'swallow' },
    { kind: 'limit_data', bytes: random.whole(1, 2000) },
  ])
  const way = random.pick([{}, {}, { way: 'to' as const }, { way: 'back' as const }])
  return { ...one, ...way, share: random.pick([1, 1, 0.5]) }
}

function drawSlow({ random, tryMs }: Scene): Toxic {
  return random.pick<Toxic>([
    { kind: 'latency', ms: Math.round(random.between(0.01, 0.1) * tryMs), jitterMs: Math.round(0.1 * tryMs) },
    { kind: 'slicer', bytes: random.whole(20, 200), pauseMs: 1 },
    { kind: 'bandwidth', bytesPerSecond: random.whole(30_000, 200_000) },
  ])
}

/** What workers ask of the ledger arrives late, all at once: the surest way to ask for a fence after SEND_BY. */
export const delayFences: Break = async (scene) => {
  const links = scene.stage.workers.map(({ links: { ledger } }) => ledger)
  const ms = duration(scene)
  scene.note(`held back for ${ms} ms`)
  await Promise.all(links.map((ledger) => ledger?.set({ kind: 'stall', way: 'to' })))
  await hold(scene, ms)
  await Promise.all(links.map((ledger) => ledger?.heal()))
}
