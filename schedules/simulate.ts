import { createCallers } from './callers.ts'
import type { Histogram } from './histogram.ts'
import type { Laboratory } from './laboratory.ts'
import { createOracle, type Violation } from './oracle.ts'
import { createRemotePayconex } from './payconex.ts'
import { credentials, type Order } from './payment.ts'
import { type Gateway, startGateway, startWorker, type Worker } from './processes.ts'
import { createRemoteQueue } from './queue.ts'
import type { Schedule, Settings } from './schedule.ts'
import { createSnapshot } from './snapshot.ts'
import { seconds, times } from './times.ts'
import { createWorld, type How, type Step } from './world.ts'

export type Outcome = {
  violation: Violation | undefined
  ledgerSteps: number
  crashes: number
  /** It ended only after all workers were started anew. */
  restarted: boolean
  edges: Histogram
  verdicts: Histogram
  trace: readonly string[]
}

/** Runs one schedule from its first call to the point where nothing is left to do.
 *
 *  1 the choices pick, one by one, what happens next: a step of some process, well or badly; time that passes; a crash; ...
 *  2 when they have run out, everything goes well: what waits is done in order, time passes, the sweeper sweeps
 *  3 the books are compared once more
 *
 * The first rule that is broken ends it. */
export async function simulate(
  { settings, choices }: Schedule,
  laboratory: Laboratory,
  { isTraced = false } = {},
): Promise<Outcome> {
  const shard = laboratory.freshName()
  const world = createWorld({ isTraced })
  const oracle = createOracle({ world, laboratory, behaviour: settings.behaviour })
  const payconex = createRemotePayconex({ world, oracle, behaviour: settings.behaviour })
  const queue = createRemoteQueue(world)
  const around = { laboratory, shard, world, oracle, payconex, queue, settings }
  const snapshot = createSnapshot(laboratory.redis, shard)
  const gateways: Gateway[] = []
  const workers: Worker[] = []
  let crashes = 0
  let restarted = false

  const living = <T extends { isAlive: boolean }>(all: readonly T[]) => all.filter(({ isAlive }) => isAlive)
  const callers = createCallers({ world, oracle, orders: ordersOf(settings), gateways: () => living(gateways) })

  async function openUp(): Promise<void> {
    if (settings.isProven && settings.behaviour !== 'ignores') {
      const proven = ['charge', 'tokenize', 'reversal'].flatMap((method) => [
        `${credentials.accountId}|${method}`,
        'yes',
      ])
      await laboratory.redis.hset(`{${shard}}:honoured`, ...proven)
    }
    await staff()
    callers.begin()
  }

  /** Whoever is missing is started anew, under a new name. */
  async function staff(): Promise<void> {
    if (oracle.isBack()) return refusedToStart()
    while (living(gateways).length < settings.gateways)
      gateways.push(await startGateway(`g${gateways.length + 1}`, around))
    while (living(workers).length < settings.workers) workers.push(await startWorker(`w${workers.length + 1}`, around))
    await world.settled()
  }

  /** After the ledger went back nobody can begin. */
  async function refusedToStart(): Promise<void> {
    const begun = await startWorker('w0', around).catch(() => undefined)
    if (begun) oracle.fail('a ledger that went back is not used', 'a new worker began')
  }

  // --- what can happen ------------------------------------------------------------------------------------------------------

  async function play(number: number): Promise<void> {
    const digits = digitsOf(number)
    const kind = digits(64)
    if (kind < 34) return act(digits)
    if (kind < 40) return tick(digits)
    if (kind < 45) return pass(digits)
    if (kind < 51) return deliver(digits)
    if (kind < 56) return payconexActs(digits)
    if (kind < 58) return hearNews(digits)
    if (kind < 60) return call(digits)
    if (kind < 62) return change(digits)
    if (kind === 62) return stumble(digits)
    return shake(digits)
  }

  type Digits = (limit: number) => number

  async function act(digits: Digits): Promise<void> {
    const steps = world.steps('effect', 'timer', 'late')
    const step = steps[digits(steps.length)]
    if (!step) return deliver(digits)
    const trouble = HOWS[digits(settings.calm) - 1]
    const how = (step.kind === 'effect' && trouble) || 'answered'
    await perform(step, how, digits(8))
  }

  async function perform(step: Step, how: How, digit = 0): Promise<void> {
    if (settings.goesBack && !snapshot.isTaken() && GUARDED.has(step.name)) await snapshot.take(oracle.records())
    const isCrash = step.process !== undefined && step.kind === 'effect' && how.startsWith('crash')
    if (isCrash) crashes += 1
    await world.perform(step, how, digit)
  }

  async function tick(digits: Digits): Promise<void> {
    const ticks = world.ticks()
    const one = ticks[digits(ticks.length)]
    if (!one) return act(digits)
    await world.beat(one)
  }

  async function deliver(digits: Digits): Promise<void> {
    const jobs = queue.waiting()
    const takers = living(workers).filter((worker) => !worker.isDraining())
    const job = jobs[digits(jobs.length)]
    const taker = takers[digits(takers.length)]
    if (!job || !taker) return payconexActs(digits)
    const done = queue.deliver(job)
    world.note(() => `${taker.name} takes job ${job.attempt}`)
    void taker.take({ key: job.key, attempt: job.attempt }).then(done)
    await world.settled()
  }

  async function payconexActs(digits: Digits): Promise<void> {
    const events = payconex.events()
    const event = events[digits(events.length)]
    if (!event) return pass(digits)
    world.note(() => event.name)
    event.happen()
    await world.settled()
  }

  async function hearNews(digits: Digits): Promise<void> {
    const news = world.steps('news')
    const one = news[digits(news.length)]
    if (!one) return act(digits)
    await perform(one, digits(8) === 7 ? 'lost' : 'answered')
  }

  async function call(digits: Digits): Promise<void> {
    const active = callers.active()
    if (digits(4) === 3 && active.length > 0) {
      const one = active[digits(active.length)]
      world.note(() => `caller ${one?.nth} gives up`)
      one?.hangUp()
    } else if (callers.hasMore()) callers.begin()
    else return act(digits)
    await world.settled()
  }

  /** Somebody comes, goes or is asked to go. */
  async function change(digits: Digits): Promise<void> {
    const everybody = [...living(gateways), ...living(workers)]
    const isMissing = everybody.length < settings.gateways + settings.workers
    const what = digits(8)
    if (isMissing && what < 5) return staff()
    const one = everybody[digits(everybody.length)]
    if (!one) return staff()
    if ('drain' in one && what >= 6) {
      world.note(() => `${one.name} drains`)
      one.drain()
    } else {
      world.note(() => `${one.name} crashes`)
      crashes += 1
      one.crash()
    }
    await world.settled()
  }

  /** The queue's own troubles. */
  async function stumble(digits: Digits): Promise<void> {
    const active = queue.active()
    const job = active[digits(active.length)]
    if (digits(4) > 0 && job) queue.stall(job)
    else if (digits(4) === 0) queue.forget()
    world.note(() => 'the queue stumbles')
  }

  /** Clocks are set, ledgers are set back. */
  async function shake(digits: Digits): Promise<void> {
    if (settings.goesBack) return goBack()
    world.jump([seconds(2), seconds(30), seconds(3600), -seconds(2), -seconds(30), -seconds(3600)][digits(6)] ?? 0)
  }

  /** Time never passes over what must have happened by then. */
  async function pass(digits: Digits): Promise<void> {
    const next = world.nextAt()
    const soon = Math.min(next, world.now() + seconds(0.5))
    const size = digits(64)
    if (size < 50) return passTo(soon)
    if (size < 58) return passTo(Number.isFinite(next) ? next : soon)
    await passTo(world.now() + (LEAPS[size - 58] ?? 0))
  }

  async function passTo(moment: number): Promise<void> {
    const limit = Math.min(world.firstBy(), payconex.firstBy())
    if (limit <= world.now()) return force()
    world.advance(Math.min(moment, limit))
    world.note(() => '...')
  }

  async function force(): Promise<void> {
    const step = world.overdue()
    if (step) return perform(step, 'answered')
    const event = payconex.overdue(ENDINGS[settings.ending])
    world.note(() => event?.name ?? '')
    event?.happen()
    await world.settled()
  }

  async function goBack(): Promise<void> {
    if (oracle.isBack() || !(await snapshot.isOutdated())) return
    // Everybody has seen the last fence, or was told by the queue's server.
    for (const name of ['renews its lease', 'notes the book', 'notes the book']) await everybody(name)
    if (!(await snapshot.isKnownToBeOutdated())) return
    world.note(() => 'the ledger goes back')
    await snapshot.restore()
    oracle.goesBack()
  }

  async function everybody(name: string): Promise<void> {
    world.advance(world.now() + times.noteMs)
    for (const one of world.ticks().filter((tick) => tick.name === name)) {
      await world.beat(one)
      for (const step of world.steps('effect').filter(({ process }) => process === one.process))
        await perform(step, 'answered')
    }
  }

  // --- the end --------------------------------------------------------------------------------------------------------------

  /** From here on everything goes well, in order, until nothing is left to do. */
  async function finish(): Promise<boolean> {
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
      if (oracle.violation() || (oracle.isBack() && world.processes().length === 0)) return true
      if (rounds === PATIENCE) restart()
      if (!oracle.isBack()) await staff()
      const [step] = world.steps('effect', 'timer', 'late', 'news')
      const event = settings.ending === 'approved' ? payconex.events()[0] : undefined
      const [job] = queue.waiting()
      if (step?.name === 'ledger reverse') await interfere()
      if (step) await perform(step, 'answered')
      else if (event) await payconexActs(() => 0)
      else if (job && living(workers).some((worker) => !worker.isDraining())) await deliver(() => 0)
      else if (await isOver()) return true
      else await rest()
    }
    return false
  }

  /** A charge is about to be undone: just then somebody asks for it after all, or the time is not yet what it was. */
  async function interfere(): Promise<void> {
    if (settings.meanwhile === 'the clock goes back') world.jump(-seconds(30))
    if (settings.meanwhile !== 'a call' || !callers.hasMore()) return
    callers.begin()
    for (const name of ['caller', 'ledger admit']) {
      const step = world.steps('effect').findLast((one) => one.name.startsWith(name))
      if (step) await perform(step, 'answered')
    }
  }

  /** A payment that a living worker owns without knowing (a take-over that was thought lost) ends only with that worker. */
  function restart(): void {
    restarted = true
    for (const worker of living(workers)) worker.crash()
  }

  async function isOver(): Promise<boolean> {
    if (oracle.isBack()) return world.processes().length === 0
    return callers.active().length === 0 && world.nextAt() === Number.POSITIVE_INFINITY && (await dueAt()) === undefined
  }

  /** Until somebody wakes or, when nobody sleeps any more, something is due for the sweeper. */
  async function rest(): Promise<void> {
    const wakes = world.nextAt()
    if (Number.isFinite(wakes)) return passTo(wakes)
    const due = ((await dueAt()) ?? 0) - world.ledgerNow() + world.now()
    await passTo(Math.max(due, world.now() + times.sweepMs))
    for (const one of world.ticks()) {
      await world.beat(one)
      // A command of one tick is done before the next: here nobody competes.
      for (const step of world.steps('effect')) await perform(step, 'answered')
    }
  }

  async function dueAt(): Promise<number | undefined> {
    const [, score] = await laboratory.redis.zrange(`{${shard}}:open`, '0', '0', 'WITHSCORES')
    return score === undefined ? undefined : Number(score)
  }

  await openUp()
  for (const number of choices) {
    if (oracle.violation()) break
    await play(number)
  }
  const isSound = await finish()
  const open = await laboratory.redis.zrange(`{${shard}}:open`, '0', '-1')
  if (!oracle.violation()) oracle.checkEnd({ open, sealed: queue.sealedAt(world.now() + times.answerByMs), isSound })
  for (const process of world.processes()) process.crash()
  await snapshot.remove(oracle.records(), payconex.ids())
  return {
    violation: oracle.violation(),
    ledgerSteps: oracle.ledgerSteps(),
    crashes,
    restarted,
    edges: oracle.edges,
    verdicts: oracle.verdicts,
    trace: world.trace,
  }
}

/** Which of the events of a transaction that PayConex still has. */
const ENDINGS = { approved: 0, 'approved late': 0, 'declined late': 2, 'dropped late': 3 } as const

const LEAPS = [6, 6, 6, 20, 60, 660].map(seconds)

const MOST_ROUNDS = 1500
const PATIENCE = 750

const HOWS: readonly How[] = ['lost', 'failed', 'late', 'crash before', 'crash after', 'lost']

const GUARDED: ReadonlySet<string> = new Set(['ledger fence'])

function ordersOf({ calls, hasToken }: Settings): (Order & { tries: number })[] {
  return calls.map(({ payment, variant, tries }) => ({
    tries,
    method: payment === 1 && hasToken ? 'tokenize' : 'charge',
    transactionId: `tx-${payment + 1}`,
    variant,
  }))
}

/** Takes one number apart, choice by choice. */
function digitsOf(number: number): (limit: number) => number {
  let rest = number
  return (limit) => {
    if (limit <= 1) return 0
    const digit = rest % limit
    rest = Math.floor(rest / limit)
    return digit
  }
}
