import type { Attempt, Producer, SealedPayments } from '@pay/payment-queue'
import type { Process, World } from './world.ts'

export type RemoteQueue = ReturnType<typeof createRemoteQueue>

type Job = Attempt & { state: 'waiting' | 'active' }

/** The queue's server: jobs that are delivered at least once, and what is sealed beside them. It remembers nothing for sure. */
export function createRemoteQueue(world: World) {
  const jobs = new Map<string, Job>()
  const sealed = new Map<string, { text: string; until: number }>()
  const nameOf = ({ key, attempt }: Attempt) => `${key}.${attempt}`
  const isLiving = (name: string) => (sealed.get(name)?.until ?? 0) > world.now()

  const shred = (process: Process) => (attempt: Attempt) =>
    world.effect(process, `shreds ${attempt.attempt}`, () => void sealed.delete(nameOf(attempt)))

  function sealedFor(process: Process): SealedPayments {
    return {
      keep: (attempt, text, ttlMs) =>
        world.effect(process, `seals ${attempt.attempt}`, () => {
          sealed.set(nameOf(attempt), { text, until: world.now() + Math.max(1, Math.ceil(ttlMs)) })
        }),
      take: (attempt) =>
        world.effect(process, `opens ${attempt.attempt}`, () =>
          isLiving(nameOf(attempt)) ? (sealed.get(nameOf(attempt))?.text ?? null) : null,
        ),
      shred: shred(process),
    }
  }

  function producerFor(process: Process): Producer {
    const { keep } = sealedFor(process)
    return {
      add: async ({ key, attempt }, text, ttlMs) => {
        await keep({ key, attempt }, text, ttlMs)
        await world.effect(process, `adds job ${attempt}`, () => {
          const name = nameOf({ key, attempt })
          if (!jobs.has(name)) jobs.set(name, { key, attempt, state: 'waiting' })
        })
      },
      awayForMs: () => 0,
      shred: shred(process),
      shredAgain: shred(process),
      close: async () => undefined,
    }
  }

  return {
    sealedFor,
    producerFor,
    waiting: () => [...jobs.values()].filter(({ state }) => state === 'waiting'),
    active: () => [...jobs.values()].filter(({ state }) => state === 'active'),
    /** Hands the job out, and says how it is done with. */
    deliver(job: Job): () => void {
      job.state = 'active'
      return () => void jobs.delete(nameOf(job))
    },
    /** Its worker was silent for too long. */
    stall(job: Job): void {
      job.state = 'waiting'
    },
    forget(): void {
      jobs.clear()
      sealed.clear()
    },
    /** What is still sealed at a moment. */
    sealedAt: (time: number) => [...sealed].filter(([, { until }]) => until > time).map(([name]) => name),
  }
}
