import { type AuditLine, auditTrail, type Look } from '@pay/ledger'
import { shown } from '@pay/service'
import { namedIn } from './arguments.ts'
import { type Desk, NOT_FOUND } from './desk.ts'
import { EXIT, Refused } from './ending.ts'
import { moment, relative, stamp } from './moment.ts'
import type { Tools } from './run-command.ts'
import { policyOf, type Story, tell } from './tell.ts'
import { print, printJson } from './terminal.ts'
import { nameOf, toJson } from './view.ts'

/** The life of one payment. */
export async function show({ args, desk, terminal }: Tools): Promise<number> {
  const looks = await desk.find(namedIn(args), args.method)
  if (looks.length === 0) throw new Refused(NOT_FOUND)
  for (const look of looks) {
    const story = tell(look, policyOf(desk))
    const done = await doneTo(look, desk)
    if (args.json) printJson(terminal, { ...toJson(look, story), audit: done })
    else for (const line of pageOf(look, story, { done, retentionMs: desk.times.retentionMs })) print(terminal, line)
  }
  return EXIT.done
}

/** What people did to it, in earlier attempts, too. */
async function doneTo({ record }: Look, desk: Desk): Promise<AuditLine[]> {
  const done: AuditLine[] = []
  for await (const line of auditTrail(desk.placeOf(record.key))) {
    if (line.payment === record.key) done.push({ ...line, by: shown(line.by), reason: shown(line.reason) })
  }
  return done
}

type More = { done?: readonly AuditLine[]; retentionMs: number }

/** First what everybody asks, then what happened, in the order of time, then its names. */
export function pageOf(look: Look, story: Story, more: More): string[] {
  const { record } = look
  const next =
    story.next.at === undefined ? story.next.what : `${moment(story.next.at, record.now)}: ${story.next.what}`
  return [
    nameOf(record),
    '',
    ...columns([
      [record.state, story.means],
      ['Twilio hears', story.hears ? JSON.stringify(story.hears) : 'nothing yet: its tries are held'],
      ['next', next],
      ['you can', story.can],
    ]),
    '',
    ...timeline(look, more),
    '',
    ...columns(namesIn(look)),
    '',
  ]
}

type Event = readonly [at: number, what: string]

function timeline({ record, dueAt, forgottenAt, lateAt, waiting }: Look, { done = [], retentionMs }: More): string[] {
  const { now, first, attempt, sent, left, absent, said, reserved, state } = record
  const closedAt = forgottenAt === undefined ? undefined : forgottenAt - retentionMs
  const under = reserved === undefined ? 'without an id to ask by' : `under the id ${reserved}`
  const events: (Event | false | undefined)[] = [
    [first, `first try of attempt ${attempt}`],
    sent !== undefined && [
      sent,
      state.startsWith('revers') ? 'its reversal passed the fence' : `passed the fence, sent ${under}`,
    ],
    left !== undefined && [left, 'the last try that waited was given up'],
    absent !== undefined && [absent, 'PayConex did not know it, and had had all the time it needs'],
    said && [said.at, SAID[said.what]],
    // Reckoned from when it is forgotten: nothing else says so.
    closedAt !== undefined && closedAt >= first && closedAt <= now && [closedAt, `over: ${state}`],
    lateAt !== undefined && [lateAt, 'put on the list of late approvals'],
    ...done.map(
      ({ at, by, what, from, to, reason }): Event => [at, `${by}: ${what}, ${from} > ${to}${reason && ` (${reason})`}`],
    ),
    [now, `now: ${state}${waiting > 0 ? `, ${waiting === 1 ? 'one try waits' : `${waiting} tries wait`}` : ''}`],
    dueAt !== undefined && [dueAt, dueAt <= now ? 'due: a worker looks at it' : 'a worker looks at it'],
    forgottenAt !== undefined && [forgottenAt, 'it is forgotten'],
  ]
  return events
    .filter((event): event is Event => Array.isArray(event))
    .sort(([one], [other]) => one - other)
    .map(([at, what]) => `${stamp(at)}  ${relative(at, now).padEnd(16)}  ${what}`)
}

const SAID = {
  not_found: 'PayConex was asked: it has no such transaction',
  unanswered: 'PayConex was asked, and gave no answer that says yes or no',
  unaskable: 'PayConex could not be asked: no id, or no worker that can open the credentials',
}

function namesIn({ record }: Look): [string, string][] {
  const { key, owner, id, reserved, reversal, code, message } = record
  const names: [string, string | undefined][] = [
    ['payment', key],
    ['PayConex id', id],
    ['reserved id', reserved === id ? undefined : reserved],
    ['reversal id', reversal],
    ['code', code && `${code} ${shown(message ?? '')}`.trim()],
    ['owner', owner],
  ]
  return names.filter((name): name is [string, string] => name[1] !== undefined && name[1] !== '')
}

const columns = (rows: readonly (readonly [string, string])[]) =>
  rows.map(([name, text]) => `${name.padEnd(14)}  ${text}`)
