import type { Look, PaymentRecord } from '@pay/ledger'
import type { Times } from '@pay/service'
import { namedIn } from './arguments.ts'
import { actOn, CHANGED, insist, printLook, sealedKey, stillAs, waitFor } from './by-hand.ts'
import { confirm } from './confirm.ts'
import { findOne } from './desk.ts'
import { EXIT, Refused } from './ending.ts'
import { moment } from './moment.ts'
import type { Tools } from './run-command.ts'
import { say } from './terminal.ts'
import { nameOf } from './view.ts'

/** Has a charge undone that nobody can have heard of. The reversal itself is a worker's, behind its fence, looked up and done at most
 * once; here the payment is only put before it again, with the access key that the ledger had given up. */
export async function reverse(tools: Tools): Promise<number> {
  const { args, desk, terminal } = tools
  const { record } = await findOne(desk, namedIn(args), args.method)
  const why = refusalOf(record, desk.times)
  if (why !== undefined) throw new Refused(why)
  const hand = await desk.hand(record.key)
  await confirm(terminal, { yes: args.yes, about: consequences(record), word: record.custom_id })
  const sealed = await sealedKey(tools, record)
  const act = actOn(await stillAs(record, tools), args)
  const reply = await insist(() => hand.takeBack(act, sealed))
  if (reply.verdict === 'heard') throw new Refused(HEARD)
  if (reply.verdict === 'early') throw new Refused(early(record, desk.times))
  if (reply.verdict === 'refused') throw new Refused(CHANGED)
  const { look, isOver } = await waitFor(tools, record.key, isEnded)
  printLook(tools, look)
  if (look.record.state === 'reversed') return EXIT.done
  say(
    terminal,
    isOver ? `it was not reversed: ${notReversed(look.record)}` : `not within ${args.waitMs / 1000} s; ${STILL}`,
  )
  return EXIT.refused
}

/** Reversed, refused by PayConex (review), or kept after all. */
const isEnded = ({ record }: Look) => record.state !== 'reversing' && !record.wanted

/** A worker keeps what it cannot reverse; which of the reasons it was stands in its log alone. */
function notReversed({ state, heard }: PaymentRecord): string {
  if (state === 'review') return 'PayConex refused to. Look into its console'
  if (heard) return HEARD
  return 'PayConex refused the access key, or no worker could open it (payconex.no_id or payment.locked in the logs). Say it again with the right one'
}

const STILL = 'a worker goes on with it (do workers run?). Look with `show`'

const HEARD =
  'somebody may have heard that it was approved: a refund is made in PayConex’ console, and the caller is told'

const early = ({ first, now }: PaymentRecord, { listeningMs }: Times) =>
  `somebody may still come and hear of it, until ${moment(first + listeningMs, now)}`

function refusalOf(record: PaymentRecord, times: Times): string | undefined {
  const { state, method, heard, now, first } = record
  if (state === 'reversing') return 'it is being reversed: look with `show`, or `ask` what PayConex says'
  if (state !== 'approved') return `it is ${state}: only a charge that is approved can be undone`
  if (method === 'tokenize') return 'no money has moved: a stored card is deleted in PayConex’ console'
  if (heard) return HEARD
  return now - first < times.listeningMs ? early(record, times) : undefined
}

const consequences = (record: PaymentRecord): string[] => [
  `${nameOf(record)}: approved under PayConex' id ${record.id}, and nobody can have heard of it`,
  'The charge is undone at PayConex. Whoever asks again hears that it was not processed.',
]
