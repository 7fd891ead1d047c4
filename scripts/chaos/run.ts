import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TRIES, TRY_TIMEOUT_MS } from '../call/play-twilio.ts'
import type { StartRedis } from '../redis/redis.ts'
import type { Log } from '../stack/service.ts'
import { type Callers, startCallers } from './callers.ts'
import { drillFor } from './drill.ts'
import { type LedgerBook, openLedgerBook } from './ledger-book.ts'
import { watchMachine } from './machine.ts'
import { type Nemesis, releaseNemesis } from './nemesis.ts'
import type { ChaosOptions } from './options.ts'
import type { Books } from './oracle.ts'
import { createRandom } from './random.ts'
import { openStage, type Stage } from './stage.ts'
import { PAYCONEX_ONE } from './touched.ts'
import { reach, type Verdict } from './verdict.ts'
import { type Watch, watchOpen } from './watch.ts'

export type Run = ChaosOptions & {
  /** Where the books are left. */
  folder: string
  /** Where the source of gateways and workers is, when it is not this one. */
  source?: string | undefined
  startRedis?: StartRedis | undefined
  log: Log
  over: AbortSignal
  onStart?: (view: View) => void
}

/** What can be seen while it runs. */
export type View = { callers: Callers; nemesis: Nemesis; watch: Watch }

export type Ended = { verdict: Verdict; kills: number; longestUnconfirmedMs: number; crashes: readonly string[] }

/** One run of chaos.
 *
 *  1 stage: servers, gateways, workers, with a proxy on every path
 *  2 callers pay and the nemesis breaks things, until the last caller has ended his call
 *  3 everything is put back; the workers get the time to clear up what is open
 *  4 the three books are read, kept and compared
 * The stage is taken down however it ends. */
export async function runChaos(run: Run): Promise<Ended> {
  const { env, crew } = drillFor(run)
  const stage = await openStage({ ...run, ...crew, settings: env })
  const book = openLedgerBook(stage.ledger.url)
  const watch = watchOpen(book)
  const machine = watchMachine()
  try {
    const { callers, nemesis } = await play(run, stage, watch)
    await clearUp(run, stage, watch)
    const books = await readBooks(stage, book, callers)
    const crashes = stage.failures()
    await keepBooks(run.folder, books, nemesis, crashes)
    const { acts, faultShare } = drillFor(run)
    const kinds = [...acts.map(({ kind }) => kind), ...(faultShare > 0 ? [PAYCONEX_ONE] : [])]
    const verdict = reach(books, { deeds: nemesis.deeds(), starved: machine.deeds(), kinds })
    return { verdict, kills: nemesis.kills(), longestUnconfirmedMs: watch.longestMs(), crashes }
  } finally {
    machine.stop()
    await watch.stop()
    book.close()
    await stage.stop()
  }
}

async function play(run: Run, stage: Stage, watch: Watch) {
  const random = createRandom(run.seed)
  const tryMs = TRY_TIMEOUT_MS * run.timeScale
  const drill = drillFor(run)
  for (const { tries = 0, ...mood } of drill.background ?? []) {
    await stage.simulator.fault('background', { ...mood, ms: Math.round(tries * tryMs) })
  }
  const nemesis = releaseNemesis({
    ...drill,
    stage,
    random: random.fork('nemesis'),
    tryMs,
    pauseLimitMs: run.absenceMarginMs / 2,
  })
  const callers = startCallers({
    stage,
    random: random.fork('payments'),
    mix: { seed: run.seed, faultShare: drill.faultShare, faults: drill.faults, roles: drill.roles, tryMs },
    payments: run.payments,
    rate: run.rate,
    atOnce: Math.max(AT_ONCE, run.rate),
    tries: TRIES,
    limitMs: run.minutes * 60_000,
    over: run.over,
  })
  run.onStart?.({ callers, nemesis, watch })
  await callers.done.finally(() => nemesis.stop())
  return { callers, nemesis }
}

/** So many callers are on the line at most, or as many as come in a second: with tries of half a second a crowd that waits asks
 * twenty times as often as it would in earnest, and would soon be all the load there is. */
const AT_ONCE = 60

async function clearUp({ settleMs, over }: Run, stage: Stage, watch: Watch): Promise<void> {
  await stage.simulator.clearFaults()
  await stage.heal()
  if (over.aborted) return
  await watch.settled(settleMs)
  await stage.simulator.quiet(settleMs)
}

async function readBooks(stage: Stage, book: LedgerBook, { calls }: Callers): Promise<Books> {
  const [payconex, ours] = await Promise.all([stage.simulator.charges(), book.records()])
  return { payconex, ours, callers: calls }
}

async function keepBooks(folder: string, books: Books, nemesis: Nemesis, crashes: readonly string[]): Promise<void> {
  const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  await Promise.all([
    writeFile(join(folder, 'payconex.jsonl'), lines(books.payconex)),
    writeFile(join(folder, 'ledger.jsonl'), lines(books.ours)),
    writeFile(join(folder, 'callers.jsonl'), lines(books.callers)),
    writeFile(join(folder, 'nemesis.jsonl'), lines(nemesis.deeds())),
    writeFile(join(folder, 'crashes.txt'), `${crashes.join('\n\n')}\n`),
  ])
}
