import { setTimeout as sleep } from 'node:timers/promises'
import type { Look, State } from '@pay/ledger'
import { allOpen, type Desk } from './desk.ts'
import { EXIT } from './ending.ts'
import { stamp } from './moment.ts'
import type { Tools } from './run-command.ts'
import { print, printJson, type Terminal } from './terminal.ts'
import { nameOf, table, toRow } from './view.ts'

const EVERY_MS = 1000
/** Of more open payments than this only so many are followed. */
const MOST = 5000
const CHANGES_SHOWN = 8

type Change = { at: number; look: Look; from: State | undefined }

/** What is open and what changes, every second until Ctrl-C: on a terminal one screen, elsewhere a line for each change. */
export async function watch({ args, desk, terminal }: Tools): Promise<number> {
  const isScreen = terminal.output.isTTY === true && !args.json
  let before: ReadonlyMap<string, Look> | undefined
  let changes: readonly Change[] = []
  while (!terminal.over.aborted) {
    const open = await readOpen(desk)
    const changed = before ? await changesBetween(before, open, desk) : []
    changes = [...changes, ...changed].slice(-CHANGES_SHOWN)
    if (isScreen) draw(terminal, open, changes)
    else for (const change of before ? changed : begun(open)) tellChange(terminal, change, args.json)
    before = open
    await sleep(EVERY_MS, undefined, { signal: terminal.over }).catch(() => undefined)
  }
  return EXIT.done
}

async function readOpen(desk: Desk): Promise<ReadonlyMap<string, Look>> {
  const open = new Map<string, Look>()
  for await (const look of allOpen(desk)) {
    if (open.size >= MOST) break
    open.set(look.record.key, look)
  }
  return open
}

const begun = (open: ReadonlyMap<string, Look>): Change[] =>
  [...open.values()].map((look) => ({ at: look.record.now, look, from: undefined }))

/** One that is open no longer is read once more: it says what became of it. */
async function changesBetween(before: ReadonlyMap<string, Look>, open: ReadonlyMap<string, Look>, desk: Desk) {
  const gone = [...before.keys()].filter((key) => !open.has(key))
  const ended = (await Promise.all(gone.map(desk.look))).filter((look): look is Look => look !== undefined)
  const isChanged = ({ record }: Look) => before.get(record.key)?.record.state !== record.state
  return [...ended, ...[...open.values()].filter(isChanged)].map(
    (look): Change => ({ at: look.record.now, look, from: before.get(look.record.key)?.record.state }),
  )
}

const step = ({ from, look: { record } }: Change) => `${from === undefined ? '' : `${from} > `}${record.state}`

function tellChange(terminal: Terminal, change: Change, json: boolean): void {
  const { at, from, look } = change
  const { key: payment, state, account, method } = look.record
  if (json) printJson(terminal, { at, payment, method, account, from: from ?? null, to: state })
  else print(terminal, `${stamp(at)}  ${step(change)}  ${nameOf(look.record)}  ${payment}`)
}

const CLEAR = '\x1b[H\x1b[2J'
const ROWS = 24
const COLUMNS = 120
const AROUND = 8

function draw(terminal: Terminal, open: ReadonlyMap<string, Look>, changes: readonly Change[]): void {
  // A terminal that does not know its size says 0.
  const [rows, columns] = [terminal.output.rows || ROWS, terminal.output.columns || COLUMNS]
  const room = Math.max(1, rows - AROUND - CHANGES_SHOWN)
  const due = [...open.values()].sort((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0))
  const more = open.size - room
  const lines = [
    `${stamp(Date.now())}  ${open.size}${open.size >= MOST ? ' or more' : ''} open: ${countsOf(due)}  (Ctrl-C ends)`,
    '',
    ...table(due.slice(0, room).map(toRow)),
    ...(more > 0 ? [`and ${more} more`] : []),
    '',
    'changes',
    ...changes.map((change) => `${stamp(change.at)}  ${step(change)}  ${nameOf(change.look.record)}`),
  ]
  terminal.output.write(`${CLEAR}${lines.map((line) => line.slice(0, columns)).join('\n')}\n`)
}

function countsOf(looks: readonly Look[]): string {
  const counts = new Map<State, number>()
  for (const { record } of looks) counts.set(record.state, (counts.get(record.state) ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'nothing'
}
