import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ByHand, Look, PaymentRecord } from '@pay/ledger'
import { sealCredentials } from '@pay/payment-queue'
import type { Given } from './arguments.ts'
import { accessKey } from './confirm.ts'
import { Refused, Unusable } from './ending.ts'
import type { Tools } from './run-command.ts'
import { pageOf } from './show.ts'
import { policyOf, tell } from './tell.ts'
import { print, printJson, progressOn } from './terminal.ts'
import { toJson } from './view.ts'

/** What the verbs that change something share. */

const TRIES = 3
const BETWEEN_MS = 500

/** One act: the same however often it is asked for, so that a lost answer is asked for again. */
export function actOn(seen: PaymentRecord, { by, verb, reason = '', id }: Given): ByHand {
  const entry = { by, what: verb, reason, ...(id !== undefined && { id }) }
  return { seen, token: randomBytes(12).toString('base64url'), entry }
}

/** Asks again when the ledger did not answer; what it refused it refuses for good. */
export async function insist<Reply>(ask: () => Promise<Reply | undefined>): Promise<Reply> {
  for (let tries = 1; ; tries += 1) {
    try {
      const reply = await ask()
      if (reply === undefined) throw new Refused('the payment is not there any more')
      return reply
    } catch (error) {
      const isFinal =
        error instanceof Refused || (error instanceof Error && /^(ReplyError|WrongLedger)$/.test(error.name))
      if (isFinal || tries >= TRIES) throw error
      await sleep(BETWEEN_MS)
    }
  }
}

/** The payment as it is now, if it still is what the person decided about. A worker that asks about it meanwhile makes it its own,
 * which changes nothing for the person. */
export async function stillAs(seen: PaymentRecord, { desk }: Tools): Promise<PaymentRecord> {
  const { record } = await insist(() => desk.look(seen.key))
  if (record.attempt !== seen.attempt || record.state !== seen.state) throw new Refused(CHANGED)
  return record
}

export const CHANGED = 'it has changed since it was looked at: look again with `show`, then say it again'

/** The access key of the payment's account, sealed as the ledger keeps credentials. */
export async function sealedKey({ desk, terminal }: Tools, { key, account }: PaymentRecord): Promise<string> {
  const { SEAL_KEYS, ACCESS_KEY } = desk.env
  if (!SEAL_KEYS) throw new Unusable('SEAL_KEYS is needed: the access key is handed to a worker sealed')
  const credentials = { accountId: account, accessKey: await accessKey(terminal, account, ACCESS_KEY) }
  return sealCredentials(credentials, key, SEAL_KEYS)
}

const EVERY_MS = 200

/** Looks until a worker has done what was asked for, or the wait is over; answers how it then stands. */
export async function waitFor(
  { args, desk, terminal }: Tools,
  key: string,
  isDone: (look: Look) => boolean,
): Promise<{ look: Look; isOver: boolean }> {
  const progress = progressOn(terminal)
  const startedAt = performance.now()
  for (;;) {
    const look = await insist(() => desk.look(key))
    const waitedMs = performance.now() - startedAt
    const isOver = isDone(look)
    if (isOver || waitedMs > args.waitMs) {
      progress.done()
      return { look, isOver }
    }
    progress.at(`waiting for a worker: ${Math.round(waitedMs / 1000)} s`)
    await sleep(EVERY_MS)
  }
}

/** How the payment stands, as `show` has it. */
export function printLook({ args, desk, terminal }: Tools, look: Look): void {
  const story = tell(look, policyOf(desk))
  if (args.json) printJson(terminal, toJson(look, story))
  else for (const line of pageOf(look, story, { retentionMs: desk.times.retentionMs })) print(terminal, line)
}
