import { setTimeout as sleep } from 'node:timers/promises'
import { type Break, duration, hold } from './scene.ts'
import type { Player } from './stage.ts'

/** One of them crashes. */
export const killPlayers =
  (of: 'workers' | 'gateways'): Break =>
  async (scene) => {
    const { stage, random, note } = scene
    await everyoneUp(stage[of])
    const victim = random.pick(stage[of])
    note(victim.name)
    victim.kill()
    scene.killed()
    // Until it is back, and warm (the echo), the others have more to do than they should.
    await everyoneUp([victim])
  }

/** One of them, or all, stand still. */
export const pausePlayers =
  (of: 'workers' | 'gateways'): Break =>
  async (scene) => {
    const { stage, random, note } = scene
    const all = stage[of]
    await everyoneUp(all)
    const victims = random.isHit(0.2) ? all : [random.pick(all)]
    const ms = duration(scene)
    note(`${victims.map(({ name }) => name)} for ${ms} ms`)
    for (const { pause } of victims) pause()
    await hold(scene, ms)
    for (const { resume } of victims) resume()
  }

/** Nobody is there who could send anything. */
export const removeWorkers: Break = async (scene) => {
  const { workers } = scene.stage
  const ms = duration(scene)
  scene.note(`all for ${ms} ms`)
  for (const { hold: remove } of workers) {
    remove()
    scene.killed()
  }
  await hold(scene, ms)
  for (const { release } of workers) release()
  await everyoneUp(workers)
}

/** Whoever was killed before may still be starting: without this wait the last one that is up would be the next, and a fault
 * of one would be a fault of all. */
async function everyoneUp(players: readonly Player[]): Promise<void> {
  const up = Promise.all(players.map((player) => player.up())).catch(() => undefined)
  await Promise.race([up, sleep(UP_LIMIT_MS, undefined, { ref: false })])
}

const UP_LIMIT_MS = 15_000

/** A Redis crashes; what it had promised to keep is on its disk. */
export const killRedis =
  (of: 'queue' | 'ledger'): Break =>
  async (scene) => {
    const redis = scene.stage[of]
    const ms = duration(scene)
    scene.note(`for ${ms} ms`)
    await redis.kill()
    scene.killed()
    await hold(scene, ms)
    await redis.restart()
  }

/** A Redis stands still: connections stay open, nothing is answered. */
export const pauseRedis =
  (of: 'queue' | 'ledger'): Break =>
  async (scene) => {
    const redis = scene.stage[of]
    const ms = duration(scene)
    scene.note(`for ${ms} ms`)
    await redis.pause()
    await hold(scene, ms)
    await redis.resume()
  }
