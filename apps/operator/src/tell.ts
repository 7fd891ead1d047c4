import { type Look, type State, verdictOf } from '@pay/ledger'
import { type PayReply, toPayReply } from '@pay/mapper'
import { shown, type Times } from '@pay/service'

/** What a person wants to know of a payment at first sight. */
export type Story = {
  /** What its state means. */
  means: string
  /** The answer that a try gets now; undefined: none yet, it is held. */
  hears: PayReply | undefined
  next: { at?: number; what: string }
  /** What a person can do about it. */
  can: string
}

export type Policy = { times: Times; lateApproval: 'report' | 'reverse' }

export function tell(look: Look, policy: Policy): Story {
  const verdict = verdictOf(look.record)
  return {
    means: MEANS[look.record.state],
    hears: verdict && heard(toPayReply(look.record.method, verdict)),
    next: nextOf(look, policy),
    can: canOf(look, policy),
  }
}

/** PayConex chose the message. */
const heard = (reply: PayReply): PayReply => ({
  ...reply,
  error_message: reply.error_message === null ? null : shown(reply.error_message),
})

const MEANS: Readonly<Record<State, string>> = {
  accepted: 'recorded; nothing has been sent to PayConex',
  sending: 'a worker has passed the fence: PayConex may have it',
  approved: 'PayConex approved it',
  declined: 'PayConex said no, or a person did',
  not_sent: 'provably nothing was charged',
  unconfirmed: 'it may have been charged: the answer is not known',
  reversing: 'approved when nobody could hear of it, and being undone',
  reversed: 'approved when nobody could hear of it, and undone',
  review: 'a person must look: nothing happens to it by itself any more',
}

function nextOf(look: Look, policy: Policy): Story['next'] {
  const what = whatIsNext(look, policy)
  return look.dueAt === undefined ? { what } : { at: look.dueAt, what }
}

function whatIsNext({ record, dueAt }: Look, { times, lateApproval }: Policy): string {
  if (dueAt === undefined) return 'nothing'
  const { state, asked } = record
  if (state === 'accepted') return 'not_sent, unless a worker has sent it by then'
  if (state === 'sending') return 'another worker asks PayConex about it, if its own has fallen silent'
  if (state === 'reversing') return 'a worker asks PayConex what became of the reversal'
  if (state === 'approved')
    return record.wanted || lateApproval === 'reverse'
      ? 'a worker reverses it'
      : 'it is put on the list of late approvals'
  const isLast = times.unconfirmedScheduleMs[asked + 1] === undefined
  return `a worker asks PayConex about it${isLast ? ', for the last time: then it is for review' : ` (asked ${often(asked)} so far)`}`
}

const often = (count: number) => (count === 1 ? 'once' : `${Math.max(0, count)} times`)

function canOf({ record, dueAt }: Look, { times }: Policy): string {
  switch (record.state) {
    case 'accepted':
    case 'sending':
      return 'nothing: it goes on by itself within a minute'
    case 'unconfirmed':
      return '`ask` lets PayConex be asked now; `resolve`, when its console says what became of it'
    case 'review':
      return '`resolve`, when PayConex’ console says what became of it; `ask` with the access key, when it may not have been asked'
    case 'reversing':
      return '`ask` lets PayConex be asked now about the reversal'
    case 'approved':
      return canTakeBack(record, dueAt, times)
    case 'declined':
    case 'not_sent':
      return 'nothing: the caller can pay again'
    case 'reversed':
      return 'nothing: it is undone'
  }
}

function canTakeBack(record: Look['record'], dueAt: number | undefined, times: Times): string {
  if (record.method === 'tokenize') return 'nothing: no money has moved; a stored card is deleted in PayConex’ console'
  if (record.heard) return 'somebody may have heard of it: a refund is made in PayConex’ console'
  if (record.wanted) return 'nothing: it is about to be reversed'
  if (record.now - record.first < times.listeningMs) return 'nothing yet: somebody may still come and hear of it'
  return dueAt === undefined
    ? '`reverse` has it undone: nobody can have heard of it; or deliver, and leave it'
    : '`reverse` has it undone: nobody can have heard of it'
}

export const policyOf = ({ times, env }: { times: Times; env: { LATE_APPROVAL: Policy['lateApproval'] } }): Policy => ({
  times,
  lateApproval: env.LATE_APPROVAL,
})
