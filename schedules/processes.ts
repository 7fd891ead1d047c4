import { confirm, createLedger, createWitness, type Ledger, openReplyChannel, type PaymentRecord } from '@pay/ledger'
import { type Log, noTraces } from '@pay/service'
import type { Redis } from 'ioredis'
import { createFirstSeen } from '../apps/gateway/src/first-seen.ts'
import { createLanes } from '../apps/gateway/src/lanes.ts'
import { createPay, type Pay } from '../apps/gateway/src/pay.ts'
import { noMisuse } from '../apps/gateway/src/testing.ts'
import { createWaitingRoom } from '../apps/gateway/src/waiting-room.ts'
import { createAdoptPayment } from '../apps/worker/src/adopt-payment.ts'
import { createBooks } from '../apps/worker/src/books.ts'
import type { Metrics } from '../apps/worker/src/metrics.ts'
import { createOwners } from '../apps/worker/src/owners.ts'
import { createProcessPayment, type ProcessPayment } from '../apps/worker/src/process-payment.ts'
import { createReversePayment } from '../apps/worker/src/reverse-payment.ts'
import { createSettle } from '../apps/worker/src/settle.ts'
import { createSteadyClock } from '../apps/worker/src/steady-clock.ts'
import { createSweeper } from '../apps/worker/src/sweeper.ts'
import type { Laboratory } from './laboratory.ts'
import type { Oracle } from './oracle.ts'
import type { RemotePayconex } from './payconex.ts'
import { identity, ring } from './payment.ts'
import type { RemoteQueue } from './queue.ts'
import type { Settings } from './schedule.ts'
import { times } from './times.ts'
import type { Process, World } from './world.ts'

/** The real gateways and workers, put together as `gateway.ts` and `worker.ts` do it, with the world around them simulated. */
export type Surroundings = {
  laboratory: Laboratory
  shard: string
  world: World
  oracle: Oracle
  payconex: RemotePayconex
  queue: RemoteQueue
  settings: Settings
}

export type Gateway = Process & { pay: Pay; receive: (text: string) => void }

export type Worker = Process & { take: ProcessPayment; drain: () => void; isDraining: () => boolean }

export async function startGateway(name: string, around: Surroundings): Promise<Gateway> {
  const { world, queue, oracle, settings, laboratory } = around
  const process = world.spawn(name)
  const clock = world.clockOf(process)
  const ledger = await openLedger(process, around)
  const gateway = `${around.shard}-${name}`
  const seats = createWaitingRoom({ rereadMs: times.rereadMs, readMany: ledger.readMany, gateway, clock })
  const room = { ...seats, enter: oracle.seated(seats.enter) }
  const missed = () => undefined
  const onReply = (record: PaymentRecord, fences: number) => {
    ledger.saw(fences)
    room.tell(record)
  }
  let receive = (_text: string): void => undefined
  const subscriber = {
    on: (event: string, told: (channel: string, text: string) => void) => {
      if (event === 'message') receive = (text) => told(`reply:${gateway}`, text)
    },
    subscribe: async () => undefined,
  } as unknown as Redis
  await openReplyChannel({ subscriber, gateway, onReply, onOpen: () => undefined })
  laboratory.receive(gateway, (text) => news(text))
  process.onCrash.push(() => laboratory.forget(gateway))
  world.every(process, 'rereads', times.rereadMs, () => void room.rereadOverdue().catch(missed))

  /** The channel delivers late, or not at all. */
  function news(text: string): void {
    if (!process.isAlive) return
    const happen = (how: string) => void (how !== 'lost' && how !== 'failed' && receive(text))
    world.add({ kind: 'news', process, name: 'hears news', at: world.now(), by: Number.POSITIVE_INFINITY, happen })
  }

  const pay = createPay({
    ledger,
    producer: queue.producerFor(process),
    room,
    // The weather is fair: who is refused because of it hears the same as when the house is full.
    lanes: createLanes({ capacity: () => settings.capacity, lingerMs: times.abandonedMs, clock }),
    weather: { sky: () => ({ weather: undefined, noWorkerForMs: 0, queuedSince: 0 }), queued: () => undefined },
    misuse: noMisuse(),
    metrics: { refused: () => undefined, admitted: () => undefined },
    identity,
    sealKeys: ring,
    times,
    maxWaiting: settings.maxWaiting,
    firstSeen: createFirstSeen({ now: clock.now, rememberMs: 2 * times.answerByMs }),
    clock,
    log: logOf(process, world),
  })
  return Object.assign(process, { pay, receive: (text: string) => receive(text) })
}

export async function startWorker(name: string, around: Surroundings): Promise<Worker> {
  const { world, queue, payconex, settings, shard } = around
  const worker = `${shard}-${name}`
  const process = world.spawn(name, worker)
  const clock = world.clockOf(process)
  const ledger = await openLedger(process, around)
  const log = logOf(process, world)
  const reversesLate = settings.lateApproval === 'reverse'
  const steady = createSteadyClock({ now: clock.now, toleranceMs: times.clockToleranceMs })
  const draining = new AbortController()
  const owners = createOwners(worker)
  const mapping = { extraParameters: [], defaultParameters: {} }
  const sealed = queue.sealedFor(process)
  const metrics = silentMetrics
  const client = payconex.clientOf(process)
  const shared = { ledger, sealed, payconex: client, sealKeys: ring, mapping, times, owners, clock, metrics, log }
  const settle = createSettle({ ...shared, draining: draining.signal })
  const books = createBooks(shared)
  const adopt = createAdoptPayment({ ...shared, books, settle, steady, onLocked: () => sweeper.rest() })
  const reversal = createReversePayment({ ...shared, books, adopt, reversesLate })
  // None is reserved ahead: then the order of things would hang on what other payments did before.
  const ids = { take: client.reserve, distrust: () => undefined }
  const take = createProcessPayment({ ...shared, settle, books, adopt, ids, reserve: settings.reserve })
  const sweeper = createSweeper({ ...shared, books, adopt, reversal, worker, traces: noTraces })
  const running = new Set<Promise<void>>()

  async function live(): Promise<void> {
    const askedAt = clock.now()
    steady.observe(await ledger.renewLease(worker), askedAt)
  }

  // As in `worker.ts`: a lease is held before anything is taken.
  void live().catch(() => undefined)
  world.every(process, 'renews its lease', times.leaseRenewMs, () => void live().catch(() => undefined))
  world.every(process, 'sweeps', times.sweepMs, () => void (draining.signal.aborted || sweeper.sweep()))

  const tracked: ProcessPayment = async (attempt) => {
    const work = take(attempt).catch((error: unknown) => world.note(() => `${name} job failed: ${error}`))
    running.add(work)
    await work.finally(() => running.delete(work))
  }

  async function drain(): Promise<void> {
    draining.abort()
    await Promise.all([...running, sweeper.idle()])
    await ledger.dropLease(worker).catch(() => undefined)
    process.crash()
  }

  return Object.assign(process, { take: tracked, drain: () => void drain(), isDraining: () => draining.signal.aborted })
}

/** Each command is one step of its process, and what the ledger says to it is shown to the oracle. */
async function openLedger(
  process: Process,
  { laboratory, shard, world, oracle, settings }: Surroundings,
): Promise<Ledger> {
  const book = await laboratory.bookOf(shard)
  const ledger = createLedger({
    redis: laboratory.redis,
    book,
    times,
    shard,
    now: world.ledgerNow,
    texts: laboratory.texts,
    onWrong: () => {
      oracle.wentBack(process)
      process.crash()
    },
  })
  if (settings.goesBack) {
    const witness = createWitness(laboratory.redis, shard)
    const seen = await witness.seen()
    if (!isConfirmed(book, seen)) process.crash()
    confirm(book, seen)
    const look = async () => {
      await world.effect(process, 'notes the book', () => witness.note(book)).catch(() => undefined)
      await world.effect(process, 'ledger read', () => ledger.read('nobody')).catch(() => undefined)
    }
    world.every(process, 'notes the book', times.noteMs, () => void look())
  }
  const steps = Object.entries(ledger).map(([name, command]) => {
    const run = command as (...args: unknown[]) => Promise<unknown>
    const step = (...args: unknown[]) =>
      world
        .effect(process, `ledger ${name}`, () => oracle.watch({ process, name, args, run: () => run(...args) }))
        .then((reply) => {
          oracle.answered({ process, name, args, reply })
          return reply
        })
    return [name, step]
  })
  return { ...(Object.fromEntries(steps) as Ledger), saw: ledger.saw }
}

/** Nothing is counted: a registry for each of thousands of workers would never be read. */
const silentMetrics = new Proxy({} as Metrics, { get: () => () => undefined })

function logOf({ name }: Process, world: World): Log {
  const line = (fields: object, message: string) =>
    world.note(() => `    ${name}: ${message} ${JSON.stringify({ ...fields, payment: undefined })}`)
  return { debug: line, info: line, warn: line, error: line }
}

function isConfirmed(...ledgers: Parameters<typeof confirm>): boolean {
  try {
    confirm(...ledgers)
    return true
  } catch {
    return false
  }
}
