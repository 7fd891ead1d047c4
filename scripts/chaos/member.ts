import { setTimeout as sleep } from 'node:timers/promises'
import type { Child, Exit } from '../process/child.ts'
import { type ServiceOptions, startService } from '../stack/service.ts'

/** One gateway or worker, and whoever starts it again when it ends. */
export type Member = {
  name: string
  isUp: () => boolean
  /** Resolves once it answers that it is ready; rejects with what it wrote when that takes longer than a minute. */
  up: () => Promise<void>
  /** SIGKILL now, also while it is starting; it is started again. */
  kill: () => void
  pause: () => void
  resume: () => void
  /** It is killed and not started again until `release`. */
  hold: () => void
  release: () => void
  /** How it ended without being told to. */
  failures: () => readonly string[]
  stop: (graceMs: number) => Promise<void>
}

const RESTART_AFTER_MS = 50
const RETRY_AFTER_MS = 500
const POLL_MS = 10
const UP_LIMIT_MS = 60_000

/** Starts it, and starts it again as an operator's system would, until `stop`. One that does not become ready (its Redis may
 * be away) is tried again. */
export function superviseMember(options: ServiceOptions): Member {
  const failures: string[] = []
  let child: Child | undefined
  let isReady = false
  let isHeld = false
  let isEnding = false
  let isKilled = false
  const living = live()

  async function live(): Promise<void> {
    while (!isEnding) {
      if (isHeld) await sleep(POLL_MS)
      else await liveOnce()
    }
  }

  async function liveOnce(): Promise<void> {
    isKilled = false
    try {
      child = await startService({ ...options, onSpawn: seize })
    } catch (error) {
      if (!isKilled && !isEnding) failures.push(`did not start: ${(error as Error).message}`)
      return void (await sleep(isKilled ? RESTART_AFTER_MS : RETRY_AFTER_MS))
    }
    isReady = !isKilled
    const exit = await child.exited
    isReady = false
    if (!isKilled && !isEnding) failures.push(explain(exit, child))
    await sleep(RESTART_AFTER_MS)
  }

  /** From its first moment it can be killed. */
  function seize(spawned: Child): void {
    child = spawned
    if (isHeld || isEnding) kill()
  }

  function kill(): void {
    isKilled = true
    isReady = false
    child?.kill('SIGKILL')
  }

  return {
    name: options.name,
    isUp: () => isReady,
    up: async () => {
      const deadline = performance.now() + UP_LIMIT_MS
      while (!isReady && !isEnding) {
        if (performance.now() > deadline) throw new Error(`${options.name} does not come up: ${failures.at(-1) ?? ''}`)
        await sleep(POLL_MS)
      }
    },
    kill,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    hold: () => {
      isHeld = true
      kill()
    },
    release: () => {
      isHeld = false
    },
    failures: () => failures,
    stop: async (graceMs) => {
      isEnding = true
      await child?.stop(graceMs)
      await living
    },
  }
}

const explain = ({ code, signal }: Exit, child: Child) =>
  `ended by itself (${signal ?? `exit code ${code}`}): ${child.lastLines()}`
