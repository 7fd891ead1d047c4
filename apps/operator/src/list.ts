import { everyPayment, type Look, lateApprovals, type State } from '@pay/ledger'
import type { Given } from './arguments.ts'
import { allOpen, type Desk } from './desk.ts'
import { EXIT } from './ending.ts'
import type { Tools } from './run-command.ts'
import { print, printJson, progressOn, say, type Terminal } from './terminal.ts'
import { table, toJson, toRow } from './view.ts'

/** Payments, the latest first. Those that are open are on a list of their own; for any other all that are remembered are walked. */
export async function list({ args, desk, terminal }: Tools): Promise<number> {
  const { found, total } = args.late ? await late(args, desk) : await chosen(args, desk, terminal)
  if (args.json) for (const look of found) printJson(terminal, toJson(look))
  else if (found.length > 0) for (const line of table(found.map(toRow))) print(terminal, line)
  if (total === 0) say(terminal, 'none')
  if (total > found.length) say(terminal, `${found.length} of ${total}: --limit shows more`)
  return EXIT.done
}

type Chosen = { found: readonly Look[]; total: number }

/** Always on the list of the open ones. An approval is there only until nobody can hear of it any more. */
const OPEN: readonly State[] = ['accepted', 'sending', 'unconfirmed', 'reversing']

async function chosen(args: Given, desk: Desk, terminal: Terminal): Promise<Chosen> {
  const { states } = args
  const isOpen = states === undefined || [...states].every((state) => OPEN.includes(state))
  const latest = keepLatest(args.limit)
  for await (const look of isOpen ? allOpen(desk) : everyLook(args, desk, terminal)) {
    if (isWanted(look, args)) latest.add(look)
  }
  return latest
}

function isWanted({ record: { state, account, first } }: Look, wanted: Given): boolean {
  return (
    (wanted.states?.has(state) ?? true) &&
    (wanted.account ?? account) === account &&
    first >= (wanted.since ?? Number.NEGATIVE_INFINITY)
  )
}

async function* everyLook(args: Given, { ledger }: Desk, terminal: Terminal): AsyncGenerator<Look> {
  const progress = progressOn(terminal)
  const onProgress = (read: number, keys: number) => progress.at(`looked at ${read} of some ${keys} payments`)
  const onUnreadable = () => say(terminal, 'one that a newer version wrote is left out')
  const { states, account, since } = args
  for await (const record of everyPayment({ ledger, onProgress, onUnreadable, states, account, since })) {
    yield { record, waiting: 0 }
  }
  progress.done()
}

/** Of any number the latest few, in the memory of a few. The same payment may come twice. */
function keepLatest(limit: number) {
  let found: Look[] = []
  let total = 0
  const sorted = () => {
    const distinct = new Map(found.map((look) => [look.record.key, look]))
    total -= found.length - distinct.size
    found = [...distinct.values()].sort((one, other) => other.record.first - one.record.first).slice(0, limit)
    return found
  }
  return {
    add(look: Look): void {
      found.push(look)
      total += 1
      if (found.length >= 2 * limit + 1000) sorted()
    },
    get found() {
      return sorted()
    },
    get total() {
      return total
    },
  }
}

async function late(args: Given, { places }: Desk): Promise<Chosen> {
  const all = (await Promise.all(places.map(lateApprovals))).flat()
  const wanted = all.map(({ look }) => look).filter((look) => isWanted(look, args))
  const latest = wanted.sort((one, other) => other.record.first - one.record.first)
  return { found: latest.slice(0, args.limit), total: wanted.length }
}
