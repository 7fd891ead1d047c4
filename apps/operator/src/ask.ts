import type { PaymentRecord } from '@pay/ledger'
import { namedIn } from './arguments.ts'
import { actOn, CHANGED, insist, printLook, sealedKey, stillAs, waitFor } from './by-hand.ts'
import { findOne } from './desk.ts'
import { EXIT, Refused } from './ending.ts'
import type { Tools } from './run-command.ts'
import { say } from './terminal.ts'

/** Lets a worker ask PayConex now, as the sweeper would later, and says what came of it. What follows from PayConex' answer is decided
 * where it always is: by the worker and the ledger.
 *
 *  unconfirmed, reversing   due at once
 *  review                   unconfirmed once more for one look, with the access key that the person brings; without an answer it is for
 *                           review again. Not where PayConex did something else than was asked: its yes would prove nothing
 *  anything else            refused
 */
export async function ask(tools: Tools): Promise<number> {
  const { args, desk, terminal } = tools
  const { record } = await findOne(desk, namedIn(args), args.method)
  const why = refusalOf(record)
  if (why !== undefined) throw new Refused(why)
  const hand = await desk.hand(record.key)
  const credentials = record.state === 'review' ? { sealedCredentials: await sealedKey(tools, record) } : {}
  // As after the last look of the schedule.
  const asked = desk.times.unconfirmedScheduleMs.length
  const since = await askNow(async () => {
    const act = actOn(await stillAs(record, tools), args)
    return insist(() => hand.askNow(act, { ...credentials, asked }))
  })
  const { look } = await waitFor(tools, record.key, (latest) => answerIn(latest.record, since) !== undefined)
  const answer = answerIn(look.record, since)
  if (answer === undefined)
    throw new Refused(
      `no worker has asked within ${args.waitMs / 1000} s: do workers run? It stays due: look with \`show\``,
    )
  say(terminal, SAID[answer])
  printLook(tools, look)
  return EXIT.done
}

const MOST_TRIES = 5

/** Answers since when it is asked. A worker that looks at it this very moment has made it its own since we looked: then once more. */
async function askNow(tryOnce: () => Promise<{ verdict: string; record: PaymentRecord }>): Promise<number> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const { verdict, record } = await tryOnce()
    if (verdict === 'due') return record.now
    if (verdict === 'contradicted') throw new Refused(CONTRADICTED)
  }
  throw new Refused(CHANGED)
}

/** What came of the question that was asked at `since`; undefined: nothing yet. What was said to an earlier one is no answer. Where a
 * worker has found that a person must look, PayConex has answered without a word that is kept. */
export function answerIn({ state, said }: PaymentRecord, since: number): keyof typeof SAID | undefined {
  if (state !== 'unconfirmed' && state !== 'reversing' && state !== 'review') return 'settled'
  if (said !== undefined && said.at >= since) return said.what
  return state === 'review' ? 'review' : undefined
}

const SAID = {
  settled: 'PayConex has answered, and it is settled',
  review: 'PayConex has answered something that a person must look at: look into its console, then `resolve`',
  not_found: 'PayConex says that it has no such transaction; that alone does not prove that it never came',
  unanswered: 'PayConex gave no answer that says yes or no',
  unaskable: 'PayConex could not be asked: there is no id, or no worker could open the credentials',
}

const CONTRADICTED =
  'PayConex has once done something else for this account than was asked, so its yes would prove nothing: look into its console, then `resolve`'

function refusalOf({ state, reserved, reversal }: PaymentRecord): string | undefined {
  if (state === 'review' && reversal !== undefined)
    return 'its reversal was refused: PayConex would only say so again. Look into its console, then `resolve`'
  if (state === 'review' && reserved === undefined)
    return 'it was sent without an id, so there is nothing to ask by: look into PayConex’ console, then `resolve`'
  if (state === 'accepted') return 'nothing has been sent yet: there is nothing to ask about'
  if (state === 'sending') return 'a worker is at it, and asks by itself: look again in a minute'
  return state === 'unconfirmed' || state === 'reversing' || state === 'review'
    ? undefined
    : `it is ${state}: that is known, and not asked again`
}
