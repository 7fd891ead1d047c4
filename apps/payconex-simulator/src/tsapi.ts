import { type Answer, outcome, refuse } from './answers.ts'
import type { Api, Work } from './exchange.ts'
import type { Fields } from './fields.ts'
import type { Entry } from './ledger.ts'
import { refuseAccount } from './order.ts'
import { invalidField } from './refusals.ts'
import { reservedAnswer } from './reservations.ts'
import type { World } from './world.ts'

/** TSAPI 3.8: reserving ids, and asking what became of a transaction. */
export function createTsapi({ ledger, reservations, settings }: World): Api {
  const actions = new Map([
    ['GET_TRANSACTION_ID', { kind: 'reserve', work: ({ account_id = '' }: Fields) => reserve(account_id) }],
    ['GET_TRANSACTION_STATUS', { kind: 'status', work: (fields: Fields) => answering(() => status(fields)) }],
  ])
  const actionOf = (fields: Fields) => actions.get(fields.action ?? '')

  const answering = (answer: () => Answer): Work => ({
    commit: () => ({ answer: answer() }),
    otherId: reservations.nextId,
  })

  /** Under the fault `other_id` the account hears an id that it was given before: an id for two payments. */
  function reserve(accountId: string): Work {
    const before = reservations.latestOf(accountId)
    const work = answering(() => reservedAnswer(reservations.reserve(accountId)))
    return { ...work, otherId: () => before ?? reservations.nextId() }
  }

  function status({ account_id = '', transaction_id = '' }: Fields): Answer {
    if (!/^\d{12}$/.test(transaction_id)) return refuse(invalidField('transaction_id'))
    const visible = ledger.find(account_id, transaction_id).filter(isVisible)
    const entry = visible.find(({ verdict }) => verdict.approved) ?? visible[0]
    return entry ? found(entry) : { found: false, transaction_id, ...outcome() }
  }

  const isVisible = (entry: Entry) => entry.at.getTime() + settings.current.statusLagMs <= Date.now()

  return {
    name: 'tsapi',
    kindOf: (fields) => actionOf(fields)?.kind ?? 'other',
    delayMs: () => 0,
    async admit(fields) {
      const refusal = refuseAccount(fields)
      if (refusal) return answering(() => refuse(refusal))
      return actionOf(fields)?.work(fields) ?? answering(() => refuse(invalidField('action')))
    },
  }
}

/** The members are those that Juspay's PayConex connector reads (hyperswitch-prism, payconex/transformers.rs); that the
 * status of a STORE lacks transaction_approved and authorization_message, like its answer, is our guess. The status of
 * an authorisation does not say whether it was captured. */
const found = ({ transactionId, order, verdict }: Entry): Answer => ({
  found: true,
  transaction_id: transactionId,
  ...(order.type !== 'STORE' && {
    transaction_approved: verdict.approved,
    authorization_message: verdict.authorizationMessage ?? null,
  }),
  ...outcome(verdict.error),
})
