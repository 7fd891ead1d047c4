import type { PaymentRecord, Resolution } from '@pay/ledger'
import { toPayReply } from '@pay/mapper'
import { shown, type Times } from '@pay/service'
import { type Given, namedIn } from './arguments.ts'
import { actOn, CHANGED, insist, printLook, stillAs } from './by-hand.ts'
import { confirm } from './confirm.ts'
import { findOne } from './desk.ts'
import { EXIT, Refused, Unusable } from './ending.ts'
import { duration, moment } from './moment.ts'
import type { Tools } from './run-command.ts'
import { say } from './terminal.ts'
import { nameOf } from './view.ts'

/** A person who has looked into PayConex' console says what became of a payment. Only where nobody else knows (unconfirmed, review),
 * and only what can be true: approved under an id of PayConex that no other payment has, declined when PayConex has had all the
 * time it needs. The ledger compares all of it in one step. */
export async function resolve(tools: Tools): Promise<number> {
  const { args, desk, terminal } = tools
  const resolution = resolutionIn(args)
  const { record } = await findOne(desk, namedIn(args), args.method)
  const settled = desk.times.absenceMs + (record.sent ?? record.now)
  if (record.state !== 'unconfirmed' && record.state !== 'review') throw new Refused(WHY_NOT(record))
  if (resolution.state === 'declined' && record.now < settled) throw new Refused(early(settled, record.now))
  const hand = await desk.hand(record.key)
  await confirm(terminal, {
    yes: args.yes,
    about: consequences(record, resolution, desk.times),
    word: record.custom_id,
  })
  const act = actOn(await stillAs(record, tools), args)
  const reply = await insist(() => hand.resolve(act, resolution))
  if (reply.verdict === 'early') throw new Refused(early(settled, reply.record.now))
  if (reply.verdict === 'used')
    throw new Refused(
      'that id of PayConex belongs to another payment of this account, or to the reversal of this one: look again',
    )
  if (reply.verdict === 'refused') throw new Refused(CHANGED)
  say(terminal, `resolved as ${resolution.state}`)
  printLook(tools, await insist(() => desk.look(record.key)))
  return EXIT.done
}

function resolutionIn({ as: state, id, code, message, reason }: Given): Resolution {
  if (state === undefined) throw new Unusable('resolve needs --as approved or --as declined')
  if (reason === undefined) throw new Unusable('resolve needs --reason, for the audit stream')
  if (state === 'approved') {
    if (id === undefined) throw new Unusable('--as approved needs --id, PayConex’ transaction_id')
    if (code !== undefined || message !== undefined) throw new Unusable('--code and --message are for --as declined')
    return { state, id }
  }
  if (id !== undefined) throw new Unusable('--id is for --as approved')
  if ((code === undefined) !== (message === undefined)) throw new Unusable('--code and --message go together')
  const { error_message } = toPayReply('charge', { kind: 'not_processed' })
  return { state, code: code ?? 'not_processed', message: message ?? error_message ?? '' }
}

const WHY_NOT = ({ state }: PaymentRecord): string =>
  state === 'accepted' || state === 'sending' || state === 'reversing'
    ? `it is ${state}: the service is at it. Look again in a minute`
    : `it is ${state}, and that is known. What is wrong at PayConex is put right in its console`

const early = (settled: number, now: number) =>
  `PayConex may still be at work on it: it can be said to be declined from ${moment(settled, now)}`

function consequences(record: PaymentRecord, resolution: Resolution, times: Times): string[] {
  const name = nameOf(record)
  if (resolution.state === 'approved') {
    const isOther = record.reserved !== undefined && record.reserved !== resolution.id
    return [
      `${name}: ${record.state} > approved, under PayConex' id ${resolution.id}`,
      ...(isOther ? [`It was sent under the id ${record.reserved}. Is ${resolution.id} really this payment?`] : []),
      'Whoever asks again hears that it was approved. It is never reversed by this service after that.',
    ]
  }
  return [
    `${name}: ${record.state} > declined`,
    ...(record.reversal === undefined ? [] : ['It was approved once: is it really undone at PayConex?']),
    `Whoever asks again with the same request hears ${resolution.code} (${shown(resolution.message)}).`,
    `By this environment PayConex is done with it ${duration(times.absenceMs)} after it was sent, and it is remembered for ${duration(times.retentionMs)}: as the workers have it?`,
    'A new attempt with the same transaction_id is then allowed, and may be charged: if PayConex has this one, that is a double charge.',
  ]
}
