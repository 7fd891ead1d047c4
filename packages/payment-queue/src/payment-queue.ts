import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { z } from 'zod'

/** Which attempt of which payment: all that a job carries. The card data lies sealed beside it, with a time to live. */
export type Attempt = { key: string; attempt: number }

const job = z.strictObject({ key: z.string(), attempt: z.number().int().positive() })

/** What a worker is given: the attempt, and under which trace the gateway put it on the queue. That travels beside the job's data, where
 * BullMQ has a place for it, so that a worker that does not know of it takes the job all the same, and so does one that does where
 * there is none. */
export type Job = Attempt & { traceparent?: string }

type Taken = { data: unknown; opts: { telemetry?: { metadata?: unknown } } }

/** What is not spelled as W3C says is nobody's trace. */
function toJob({ data, opts }: Taken): Job {
  const attempt = job.parse(data)
  const metadata = opts.telemetry?.metadata
  return typeof metadata === 'string' && TRACEPARENT.test(metadata) ? { ...attempt, traceparent: metadata } : attempt
}

const TRACEPARENT = /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

const QUEUE = 'payments'
// Every key of a payment carries the hash tag of its shard.
const prefixOf = (shard: string) => `{${shard}}`
const DEFAULT_SHARD = 's0'
// Nobody listens to BullMQ's events: a short stream costs less memory than its default of 10,000.
const EVENTS = { events: { maxLen: 100 } }

const nameOf = ({ key, attempt }: Attempt) => `${key}.${attempt}`

/** The sealed payments beside the jobs. */
export type SealedPayments = ReturnType<typeof createSealedPayments>

export function createSealedPayments(redis: Redis, shard = DEFAULT_SHARD) {
  const sealedKey = (attempt: Attempt) => `${prefixOf(shard)}:sealed:${nameOf(attempt)}`
  return {
    keep: async (attempt: Attempt, sealed: string, ttlMs: number): Promise<void> => {
      await redis.set(sealedKey(attempt), sealed, 'PX', Math.max(1, Math.ceil(ttlMs)))
    },
    take: (attempt: Attempt): Promise<string | null> => redis.get(sealedKey(attempt)),
    /** Card data is erased as soon as the payment is final. Harmless to do twice. */
    shred: async (...attempts: readonly Attempt[]): Promise<void> => {
      if (attempts.length > 0) await redis.del(attempts.map(sealedKey))
    },
  }
}

export type Producer = ReturnType<typeof createProducer>

/** The gateway's end. `add` seals nothing and waits for nothing: it rejects at once while the queue is away. */
export function createProducer(redis: Redis, shard = DEFAULT_SHARD) {
  const queue = new Queue(QUEUE, {
    connection: redis,
    prefix: prefixOf(shard),
    streams: EVENTS,
    skipWaitingForReady: true,
    skipVersionCheck: true,
  })
  queue.on('error', () => undefined)
  const sealed = createSealedPayments(redis, shard)
  const shredding = inOneGo(sealed.shred)
  const awayForMs = watchAbsence(redis)
  return {
    /** First the payment, then the job that points to it: both leave in one flight, and a server does in order what comes over one
     * connection. Where only the job arrives it finds nothing to send, and this rejects. Doing both again changes nothing but the
     * time to live. Whatever else is known of the attempt stays out of the job. */
    add: async (
      { key, attempt }: Attempt,
      sealedPayment: string,
      ttlMs: number,
      traceparent?: string,
    ): Promise<void> => {
      const data = { key, attempt }
      const kept = sealed.keep(data, sealedPayment, ttlMs)
      const telemetry = traceparent === undefined ? {} : { telemetry: { metadata: traceparent } }
      const options = { jobId: nameOf(data), removeOnComplete: true, removeOnFail: true, ...telemetry }
      const added = queue.add('payment', data, options)
      await Promise.all([kept, added])
    },
    /** How long the server has been away on which the attempt would lie: 0 while there is a connection to it, which says little
     * of a server that hangs; `Infinity` where there never was one. */
    awayForMs: (_attempt: Attempt): number => awayForMs(),
    shred: (attempt: Attempt): Promise<void> => sealed.shred(attempt),
    /** For what the worker should have erased already: in a moment, together with others. */
    shredAgain: shredding.soon,
    async close() {
      await shredding.now().catch(() => undefined)
      await queue.close()
    },
  }
}

/** Tells for how long there has been no connection. */
function watchAbsence(redis: Redis): () => number {
  let lostAt = redis.status === 'ready' ? undefined : NEVER_THERE
  redis.on('ready', () => {
    lostAt = undefined
  })
  redis.on('close', () => {
    lostAt ??= performance.now()
  })
  return () => (lostAt === undefined ? 0 : performance.now() - lostAt)
}

const NEVER_THERE = Number.NEGATIVE_INFINITY

const SOON_MS = 50

/** Does for many attempts what would take a command and a system call for each. */
function inOneGo(shred: (...attempts: readonly Attempt[]) => Promise<void>) {
  let due: Attempt[] = []
  let done: Promise<void> | undefined

  function now(): Promise<void> {
    const attempts = due
    due = []
    done = undefined
    return shred(...attempts)
  }

  return {
    soon(attempt: Attempt): Promise<void> {
      due.push(attempt)
      done ??= sleep(SOON_MS).then(now)
      return done
    },
    now,
  }
}

const BOOKKEEPING_MS = 2000

export type ConsumerOptions = {
  redis: Redis
  shard?: string
  concurrency: number
  /** A worker that died is noticed after about twice this time; its jobs run again and find the truth in the ledger. */
  lockMs: number
  process: (job: Job) => Promise<void>
  onError: (error: unknown) => void
}

export type Consumer = {
  /** Takes no jobs for now, so that others get them; or takes jobs again. */
  rest: (isResting: boolean) => void
  close: () => Promise<void>
}

/** The worker's end. A job is a wake-up: it never fails for a reason of the payment, is never retried by the queue, and may
 * run twice. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { redis, shard = DEFAULT_SHARD, concurrency, lockMs, process, onError } = options
  const running = new Set<Promise<void>>()
  // An error is reported here and the job is done with: BullMQ would write the error's message into Redis.
  const run = async (taken: Taken) => process(toJob(taken))
  const track = async (taken: Taken) => {
    const work = run(taken).catch(onError)
    running.add(work)
    await work.finally(() => running.delete(work))
  }
  const worker = new Worker(QUEUE, track, {
    connection: redis,
    prefix: prefixOf(shard),
    concurrency,
    lockDuration: lockMs,
    stalledInterval: Math.ceil(lockMs / 2),
    maxStalledCount: 20,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  })
  worker.on('error', onError)
  worker.on('failed', (_job, error) => onError(error))
  return {
    rest(isResting) {
      if (isResting === worker.isPaused()) return
      void (isResting ? worker.pause(true) : worker.resume()).catch(onError)
    },
    /** Takes no more jobs and resolves when those in hand have ended. BullMQ also wants to write that down, and would wait for a
     * queue that is away for as long as it is: a moment must do, for a job that comes back finds the truth in the ledger. */
    async close() {
      const closed = worker.close()
      const ended = async () => {
        while (running.size > 0) await Promise.all(running)
        await sleep(BOOKKEEPING_MS, undefined, { ref: false })
      }
      await Promise.race([closed, ended()])
    },
  }
}
