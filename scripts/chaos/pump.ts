import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { Toxics, Way } from './toxic.ts'

export type PumpOptions = {
  from: Socket
  into: Socket
  way: Way
  toxics: Toxics
  random: Random
  /** Ends the connection with an RST to both ends. */
  reset: () => void
}

export type Pumped = { settle: () => void }

/** What may wait in one direction before its source is asked to wait. */
const HELD_LIMIT_BYTES = 256 * 1024

/** One direction of a connection: what comes in goes out, in order, bent by the toxics that are in force when its turn comes.
 *
 *  1 stall: wait until it is lifted · timeout, swallow: it is lost, and so is all that follows
 *  2 reset, cut: an RST in its place
 *  3 latency (counted from its arrival, so that packets travel side by side), bandwidth
 *  4 limit_data: a part, then an RST · slicer: piece by piece
 */
export function pump({ from, into, way, toxics, random, reset }: PumpOptions): Pumped {
  const gone = new AbortController()
  let tail: Promise<void> = Promise.resolve()
  let held = 0
  let passed = 0
  let isDead = false
  let hasEnded = false
  let hasClosed = false
  let lift: (() => void) | undefined

  const inTurn = (work: () => Promise<void>) => {
    tail = tail.then(work).catch(() => undefined)
  }

  function take(chunk: Buffer): void {
    const arrivedAt = performance.now()
    held += chunk.length
    if (held > HELD_LIMIT_BYTES) from.pause()
    inTurn(async () => {
      await pass(chunk, arrivedAt).catch(() => undefined)
      held -= chunk.length
      if (held <= HELD_LIMIT_BYTES) from.resume()
    })
  }

  /** False: it is lost. */
  async function isOpen(): Promise<boolean> {
    while (toxics.find('stall', way)) {
      await new Promise<void>((resolve) => {
        lift = resolve
      })
    }
    isDead ||= toxics.find('timeout', way) !== undefined || toxics.find('swallow', way) !== undefined
    return !isDead
  }

  async function pass(chunk: Buffer, arrivedAt: number): Promise<void> {
    if (!(await isOpen())) return
    if (toxics.find('reset', way) || toxics.find('cut', way)) return reset()
    await delay(chunk.length, arrivedAt)
    const limit = toxics.find('limit_data', way)
    const whole = limit ? chunk.subarray(0, Math.max(0, limit.bytes - passed)) : chunk
    for (const piece of sliced(whole)) await write(piece)
    if (whole.length < chunk.length) into.end(reset)
  }

  async function delay(bytes: number, arrivedAt: number): Promise<void> {
    const { ms = 0, jitterMs = 0 } = toxics.find('latency', way) ?? {}
    const { bytesPerSecond = Number.POSITIVE_INFINITY } = toxics.find('bandwidth', way) ?? {}
    const late = ms === 0 && jitterMs === 0 ? 0 : arrivedAt + ms + random.between(0, jitterMs) - performance.now()
    const total = Math.max(0, late) + (bytes / bytesPerSecond) * 1000
    if (total > 0) await sleep(total, undefined, { signal: gone.signal })
  }

  function sliced(chunk: Buffer): Buffer[] {
    const { bytes = chunk.length } = toxics.find('slicer', way) ?? {}
    const pieces = Math.ceil(chunk.length / Math.max(1, bytes))
    return Array.from({ length: pieces }, (_, nth) => chunk.subarray(nth * bytes, (nth + 1) * bytes))
  }

  async function write(piece: Buffer): Promise<void> {
    passed += piece.length
    if (!into.write(piece)) await drained(into)
    const { pauseMs = 0 } = toxics.find('slicer', way) ?? {}
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: gone.signal })
  }

  /** An end travels behind the data. On a silent way it is not heard of until the way is healed. */
  async function passEnd(): Promise<void> {
    hasEnded = true
    if (await isOpen()) into.end()
  }

  /** One end is gone: with it the other, behind the data that is still on its way, unless that way is silent. */
  function passClose(): void {
    hasClosed = true
    if (isSilent()) return
    lift?.()
    inTurn(async () => void into.destroy())
  }

  function passError(): void {
    if (isSilent()) return
    gone.abort()
    into.resetAndDestroy()
  }

  const isSilent = () => toxics.find('timeout', way) !== undefined || toxics.find('stall', way) !== undefined

  from.on('data', take)
  from.on('end', () => inTurn(passEnd))
  from.on('error', passError)
  from.on('close', passClose)
  return {
    settle: () => {
      if (isSilent()) return
      lift?.()
      if (isDead && hasEnded) reset()
      if (hasClosed) passClose()
    },
  }
}

function drained(into: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (into.destroyed) return resolve()
    const done = () => {
      into.off('drain', done).off('close', done)
      resolve()
    }
    into.on('drain', done).on('close', done)
  })
}
