import { describe, refuse } from './answers.ts'
import type { Api, Done, Work } from './exchange.ts'
import type { Bend } from './faults.ts'
import type { Entry } from './ledger.ts'
import { type Order, readOrder, transactionTypes } from './order.ts'
import { judge } from './processor.ts'
import type { Refusal } from './refusals.ts'
import type { Claim } from './reservations.ts'
import type { World } from './world.ts'

/** QSAPI 3.8: payments. Every business answer, also a refusal, is an HTTP 200. */
export function createQsapi({ ledger, reservations, settings }: World): Api {
  const work = (commit: Work['commit']): Work => ({ commit, otherId: reservations.nextId })
  const refused = (refusal: Refusal) => work(() => ({ answer: refuse(refusal) }))

  function ready(order: Order, claim: Granted): Work {
    let entry: Entry | undefined
    return {
      ...work((bend) => {
        const verdict = judge(order, ledger)
        if (!('approved' in verdict)) return { answer: refuse(verdict) }
        entry = ledger.append(toEntry({ order, claim, verdict, bend, shiftMs: settings.current.clockShiftMs }))
        return toDone(entry)
      }),
      release: () => claim.release(entry),
    }
  }

  return {
    name: 'qsapi',
    kindOf: ({ transaction_type: type }) => transactionTypes.find((known) => known === type)?.toLowerCase() ?? 'other',
    delayMs() {
      const { minDelayMs, maxDelayMs } = settings.current
      return minDelayMs + Math.random() * Math.max(0, maxDelayMs - minDelayMs)
    },
    async admit(fields) {
      const order = readOrder(fields, ledger)
      if ('message' in order) return refused(order)
      const claim = await reservations.claim(order.accountId, sentId(order))
      if (claim.kind === 'refused') return refused(claim.refusal)
      return claim.kind === 'replayed' ? work(() => toDone(claim.entry)) : ready(order, claim)
    },
  }
}

type Granted = Extract<Claim, { kind: 'granted' }>

/** A CAPTURE goes on under the authorisation's id, so a reserved id is of no use to it. */
const sentId = (order: Order) => (order.type === 'CAPTURE' ? undefined : order.transactionId)

const toDone = (entry: Entry): Done => ({ answer: entry.answer, entry })

interface Judged {
  readonly order: Order
  readonly claim: Granted
  readonly verdict: Entry['verdict']
  readonly bend: Bend
  readonly shiftMs: number
}

function toEntry({ order, claim, verdict, bend, shiftMs }: Judged): Entry {
  const transactionId = order.type === 'CAPTURE' ? (order.original?.transactionId ?? claim.id) : claim.id
  const cents = verdict.approved ? (bend.approves?.(order.cents) ?? order.cents) : order.cents
  const at = new Date()
  const transaction = { transactionId, order, verdict, cents, at }
  const answer = describe({ ...transaction, at: new Date(at.getTime() + shiftMs) })
  return { ...transaction, reserved: claim.reserved, answer, answered: false }
}
