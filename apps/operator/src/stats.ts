import { everyPayment, type PaymentRecord, STATES, type State } from '@pay/ledger'
import { allOpen } from './desk.ts'
import { EXIT } from './ending.ts'
import { duration } from './moment.ts'
import type { Tools } from './run-command.ts'
import { print, printJson, progressOn, say } from './terminal.ts'
import { table } from './view.ts'

type Count = { payments: number; oldestMs: number; newestMs: number }

/** How many payments stand where, and how old they are: those that are open, or with --all every one that is remembered. Of all a few
 * may be counted twice while the server's table of keys grows. */
export async function stats({ args, desk, terminal }: Tools): Promise<number> {
  const counts = new Map<State, Count>()
  if (args.all) await countAll(counts, { args, desk, terminal })
  else for await (const { record } of allOpen(desk)) add(counts, record)
  const late = (await Promise.all(desk.places.map(({ redis, shard }) => redis.zcard(`{${shard}}:late`)))).reduce(sum, 0)
  const states = STATES.flatMap((state) => (counts.has(state) ? [[state, counts.get(state) as Count] as const] : []))
  const all = states.map(([, { payments }]) => payments).reduce(sum, 0)
  if (args.json)
    printJson(terminal, { of: args.all ? 'all' : 'open', payments: all, states: Object.fromEntries(states), late })
  else {
    const rows = states.map(([state, { payments, oldestMs, newestMs }]) => [
      state,
      String(payments),
      duration(oldestMs),
      duration(newestMs),
    ])
    for (const line of table(rows, ['state', 'payments', 'oldest', 'newest'])) print(terminal, line)
    print(terminal, `\n${all} ${args.all ? 'remembered' : 'open'}; ${late} on the list of late approvals (list --late)`)
    if (!args.all) say(terminal, 'those that are over, or for review, are counted with --all')
  }
  return EXIT.done
}

async function countAll(counts: Map<State, Count>, { desk: { ledger }, terminal }: Tools): Promise<void> {
  const progress = progressOn(terminal)
  const onProgress = (read: number, keys: number) => progress.at(`counted ${read} of some ${keys} payments`)
  const onUnreadable = () => say(terminal, 'one that a newer version wrote is left out')
  for await (const record of everyPayment({ ledger, onProgress, onUnreadable })) add(counts, record)
  progress.done()
}

const sum = (one: number, other: number) => one + other

function add(counts: Map<State, Count>, { state, now, first }: PaymentRecord): void {
  const ageMs = Math.max(0, now - first)
  const { payments, oldestMs, newestMs } = counts.get(state) ?? { payments: 0, oldestMs: 0, newestMs: ageMs }
  counts.set(state, {
    payments: payments + 1,
    oldestMs: Math.max(oldestMs, ageMs),
    newestMs: Math.min(newestMs, ageMs),
  })
}
