import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { type Answer, encode } from './answers.ts'
import { type Bend, faults, type Hit } from './faults.ts'
import { type Fields, readFields } from './fields.ts'
import type { Entry } from './ledger.ts'
import { createLine, type Line } from './line.ts'
import type { World } from './world.ts'

/** One of PayConex's APIs, without anything about connections and faults. */
export interface Api {
  readonly name: 'qsapi' | 'tsapi'
  kindOf(fields: Fields): string
  /** Base time of a request before it is committed. */
  delayMs(): number
  /** Looks at a request when it arrives; may wait for another one with the same id. */
  admit(fields: Fields): Promise<Work>
}

/** A request that was admitted. */
export interface Work {
  /** Does it: everything that changes is changed here, at once and for good. */
  commit(bend: Bend): Done
  /** Gives back what `admit` took, whether or not it was committed. */
  release?(): void
  /** The transaction_id a lying answer names instead of the true one. */
  otherId(): string
}

export interface Done {
  readonly answer: Answer
  /** The transaction this answer is about, to be marked when the answer was delivered. */
  readonly entry?: Entry | undefined
}

/** The order of work of every request, with the places where a fault can bend it:
 *
 *  1. receive: read the form, choose the fault, write the request down
 *  2. admit: check it, claim its transaction id
 *  3. delay, or let the fault take over: nothing has happened yet
 *  4. commit: the ledger has it
 *  5. answer, or let the fault take over: it has happened, but the caller may not learn of it
 */
export const createExchange =
  (world: World, api: Api) =>
  async (request: Request, response: Response): Promise<void> => {
    const fields = readFields(request.body)
    const received = { api: api.name, kind: api.kindOf(fields), fields }
    const hit = world.faults.pick(received)
    world.journal.add(received, hit?.name)
    const line = createLine(request, response)
    await world.lines.during(line, () => converse({ api, fields, hit, line }))
  }

interface Conversation {
  readonly api: Api
  readonly fields: Fields
  readonly hit: Hit | undefined
  readonly line: Line
}

async function converse({ api, fields, hit, line }: Conversation): Promise<void> {
  const bend: Bend = hit ? faults[hit.name] : {}
  const work = await api.admit(fields)
  const done = await carryOut(work, { api, hit, line, bend })
  if (!done) return
  await pause(line, hit?.when === 'after' ? hit.ms : 0)
  const answer = bend.alters?.(done.answer, work.otherId()) ?? done.answer
  const plain = encode(answer, bend.format ?? fields.response_format)
  const reply = bend.dresses?.(plain) ?? plain
  if (bend.insteadOfAnswer) return bend.insteadOfAnswer(line, reply)
  const delivered = await line.reply(reply)
  if (delivered && done.entry) done.entry.answered = true
}

/** Steps 3 and 4. A caller that hangs up during the delay stops nothing: PayConex has the request. */
async function carryOut(work: Work, { api, hit, line, bend }: Omit<Conversation, 'fields'> & { bend: Bend }) {
  try {
    await pause(line, api.delayMs() + (hit?.when === 'before' ? hit.ms : 0))
    if (!bend.insteadOfWork) return work.commit(bend)
    await bend.insteadOfWork(line)
    return undefined
  } finally {
    work.release?.()
  }
}

async function pause({ signal }: Line, ms: number) {
  if (ms > 0) await sleep(ms, undefined, { signal })
  signal.throwIfAborted()
}
