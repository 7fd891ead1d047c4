import { moment } from './times.ts'

/** What becomes of a step that is picked. A command whose answer is lost was executed; one that is late was given up by whoever
 * asked, and is executed some time after. */
export type How = 'answered' | 'lost' | 'failed' | 'late' | 'crash before' | 'crash after'

export type Step = {
  kind: 'effect' | 'timer' | 'news' | 'late'
  process: Process | undefined
  name: string
  /** When it can happen, and by when it must. */
  at: number
  by: number
  happen: (how: How, digit: number) => Promise<void> | void
}

/** Something that a process does again and again, whatever else it does. */
export type Tick = { process: Process; name: string; everyMs: number; doneAt: number; run: () => void }

export type Process = {
  name: string
  /** Under which name the ledger knows it, if it is a worker. */
  worker: string
  isAlive: boolean
  ticks: Tick[]
  crash: () => void
  onCrash: (() => void)[]
}

export type EffectOptions = {
  by?: number
  /** The effect itself says what a lost or failed answer looks like. */
  isAnswering?: boolean
}

/** Thrown where ioredis would say that a command was not answered. */
class Unanswered extends Error {
  override name = 'Unanswered'
}

export type World = ReturnType<typeof createWorld>

const START = 1_000_000_000_000

/** One simulated world: its time, its processes, and every step that waits to be picked. Nothing in it happens by itself: a
 * process runs only from the moment its step was picked to the moment it waits for the next. */
export function createWorld({ isTraced }: { isTraced: boolean }) {
  let now = START
  let ledgerAhead = 0
  let steps: Step[] = []
  const trace: string[] = []
  const processes: Process[] = []

  const note = (line: () => string): void => {
    if (isTraced) trace.push(`${moment(now - START)}  ${line()}`)
  }

  function add(step: Step): Step {
    steps.push(step)
    return step
  }

  function remove(step: Step): void {
    steps = steps.filter((other) => other !== step)
  }

  function spawn(name: string, worker = ''): Process {
    const process: Process = { name, worker, isAlive: true, ticks: [], onCrash: [], crash: () => end(process) }
    processes.push(process)
    return process
  }

  /** It is gone between two steps: nothing that it waits for will ever come. */
  function end(process: Process): void {
    if (!process.isAlive) return
    process.isAlive = false
    steps = steps.filter((step) => step.process !== process)
    for (const told of process.onCrash) told()
  }

  /** What a process asks of the world outside: done, and answered, only when it is picked. */
  function effect<T>(process: Process, name: string, run: (how: How) => Promise<T> | T, options: EffectOptions = {}) {
    const { by = Number.POSITIVE_INFINITY, isAnswering = false } = options
    return new Promise<T>((resolve, reject) => {
      if (!process.isAlive) return
      const happen = async (how: How) => {
        if (how === 'crash before') return process.crash()
        if (how === 'failed' && !isAnswering) return reject(new Unanswered('it could not be reached'))
        if (how === 'late' && !isAnswering) {
          later(`${process.name} ${name}`, run)
          return reject(new Unanswered('given up'))
        }
        try {
          const result = await run(how)
          if (how === 'crash after') return process.crash()
          if (how === 'lost' && !isAnswering) return reject(new Unanswered('the answer was lost'))
          resolve(result)
        } catch (error) {
          reject(error)
        }
      }
      add({ kind: 'effect', process, name, at: now, by, happen })
    })
  }

  function later(name: string, run: (how: How) => unknown): void {
    const happen = async () => void (await Promise.resolve(run('lost')).catch(() => undefined))
    add({ kind: 'late', process: undefined, name: `late ${name}`, at: now, by: Number.POSITIVE_INFINITY, happen })
  }

  function timer(process: Process | undefined, name: string, ms: number, happen: () => void): Step {
    return add({ kind: 'timer', process, name, at: now + ms, by: Number.POSITIVE_INFINITY, happen })
  }

  const clockOf = (process: Process) => ({
    now: () => now,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted) return resolve()
        if (!process.isAlive) return
        const step = timer(process, 'wakes', ms, resolve)
        const wake = () => {
          remove(step)
          resolve()
        }
        signal?.addEventListener('abort', wake, { once: true })
      }),
    alarm: (ms: number, ring: () => void) => {
      if (!process.isAlive) return () => undefined
      const step = timer(process, 'wakes', ms, ring)
      return () => remove(step)
    },
  })

  function every(process: Process, name: string, everyMs: number, run: () => void): void {
    process.ticks.push({ process, name, everyMs, doneAt: now, run })
  }

  /** Lets everything that a step has set free run until it waits again: all of it is promises. */
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

  async function perform(step: Step, how: How, digit = 0): Promise<void> {
    remove(step)
    note(() => `${step.process?.name ?? ''} ${step.name}${how === 'answered' ? '' : ` (${how})`}`)
    await step.happen(how, digit)
    await settled()
  }

  async function beat(tick: Tick): Promise<void> {
    tick.doneAt = now
    note(() => `${tick.process.name} ${tick.name}`)
    tick.run()
    await settled()
  }

  return {
    now: () => now,
    sinceStart: () => now - START,
    ledgerNow: () => now + ledgerAhead,
    jump: (ms: number) => {
      ledgerAhead += ms
      note(() => `the ledger's clock jumps by ${ms / 60_000} s`)
    },
    trace,
    note,
    add,
    remove,
    spawn,
    effect,
    timer,
    clockOf,
    every,
    settled,
    perform,
    beat,
    steps: (...kinds: Step['kind'][]) => steps.filter(({ kind, at }) => at <= now && kinds.includes(kind)),
    /** The moment of the next step that waits for nothing but time. */
    nextAt: () => steps.reduce((least, { at }) => (at > now ? Math.min(least, at) : least), Number.POSITIVE_INFINITY),
    overdue: () => steps.find(({ by }) => by <= now),
    firstBy: () => steps.reduce((least, { by }) => Math.min(least, by), Number.POSITIVE_INFINITY),
    ticks: () =>
      processes.flatMap(({ isAlive, ticks }) => (isAlive ? ticks.filter((t) => now - t.doneAt >= t.everyMs) : [])),
    processes: () => processes.filter(({ isAlive }) => isAlive),
    advance: (to: number) => {
      now = Math.max(now, to)
    },
  }
}
