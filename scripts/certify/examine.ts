import { randomUUID } from 'node:crypto'
import { type Credentials, type Secret, type Transaction, toTransaction } from '@pay/mapper'
import type { Payconex, Submitted } from '../../apps/worker/src/payconex.ts'
import { type Finding, type Findings, QUESTIONS, type Question } from './findings.ts'

export type Examined = {
  payconex: Payconex
  credentials: Credentials
  card: { number: Secret; expiration: Secret }
  /** Told of each question as it is asked. */
  onQuestion: (question: Question) => void
}

type Ask = () => Promise<Finding>

/** Asks everything, one question after the other, the way the worker would. Each sale has an amount of its own: so an answer tells
 * which of two it is about, and PayConex takes none for a double of another. */
export async function examine({ payconex, credentials, card, onQuestion }: Examined): Promise<Findings> {
  let cents = 220 + Math.floor(Math.random() * 50)

  const sale = () => transactionOf('charge', `2.${++cents % 100}`)
  const storage = () => transactionOf('tokenize')

  function transactionOf(method: 'charge' | 'tokenize', amount?: string): Transaction {
    const instrument = { kind: 'card', ...card } as const
    const request = {
      method,
      transactionId: randomUUID(),
      instrument,
      parameters: {},
      ...(amount && { amount, currency: 'USD' }),
    }
    return toTransaction(request, credentials, { extraParameters: [], defaultParameters: {} }).transaction
  }

  const used = await reserve()
  const first = sale()

  const questions: Readonly<Record<Question, Ask>> = {
    before: async () => {
      const { kind, ...said } = await lookUp(used)
      return kind === 'not_found' ? yes('found: false') : no(`it says ${wordsOf({ kind, ...said })}`)
    },
    honoured: async () => {
      const submitted = await payconex.submit(first, { reservedId: used })
      if (submitted.kind === 'approved') return yes(`approved as ${submitted.transactionId}`)
      return submitted.kind === 'contradiction' ? no(submitted.reason) : unknown(submitted)
    },
    after: async () => {
      const status = await lookUp(used)
      return status.kind === 'approved' ? yes('found, approved') : no(`it says ${wordsOf(status)}`)
    },
    used: async () => {
      const again = await payconex.submit(first, { reservedId: used })
      // Approved again: the first answer once more, or a second charge? With another amount the answer tells.
      return apart(again.kind === 'approved' ? await payconex.submit(sale(), { reservedId: used }) : again)
    },
    inFlight: () => twiceAtOnce(),
    during: async () => {
      const id = await reserve()
      const submitting = payconex.submit(sale(), { reservedId: id })
      const status = await payconex.lookUp(credentials, { type: 'SALE', reservedId: id, pastTimeout: true })
      const submitted = await submitting
      if (submitted.kind !== 'approved') return unknown(submitted)
      return status.kind === 'declined' ? no(`it says ${wordsOf(status)}`) : yes(`it says ${wordsOf(status)}`)
    },
    store: async () => {
      const submitted = await payconex.submit(storage(), { reservedId: await reserve() })
      if (submitted.kind === 'approved') return yes('stored under its id')
      return isNo(submitted) ? no(wordsOf(submitted)) : unknown(submitted)
    },
    reversed: async () => {
      const asked = { chargeId: used, reservedId: await reserve(), customId: randomUUID() }
      const outcome = await payconex.reverse(credentials, asked)
      if (outcome.kind === 'reversed') return yes('reversed under an id of its own')
      return isNo(outcome) ? no(wordsOf(outcome)) : unknown(outcome)
    },
  }

  /** Two sales under one id, so close together that the second is sent before the first is answered. */
  async function twiceAtOnce(): Promise<Finding> {
    const id = await reserve()
    const outcomes = await Promise.all([sale(), sale()].map((each) => payconex.submit(each, { reservedId: id })))
    const approved = outcomes.filter(({ kind }) => kind === 'approved')
    if (approved.length === 2) return no('charged twice')
    const [other] = outcomes.filter(({ kind }) => kind !== 'approved')
    return approved.length === 1 && other ? apart(other) : unknown(other ?? { kind: 'unanswered', reason: 'no answer' })
  }

  const lookUp = (reservedId: string) => payconex.lookUp(credentials, { type: 'SALE', reservedId, pastTimeout: true })

  /** Without an id nothing else can be asked. */
  async function reserve(): Promise<string> {
    const reservation = await payconex.reserve(credentials)
    if (reservation.kind === 'reserved') return reservation.transactionId
    throw new NoId(wordsOf(reservation))
  }

  const findings: Partial<Record<Question, Finding>> = {}
  for (const [question, ask] of Object.entries(questions) as [Question, Ask][]) {
    onQuestion(question)
    findings[question] = await ask()
  }
  return Object.fromEntries(Object.keys(QUESTIONS).map((name) => [name, findings[name as Question]])) as Findings
}

/** Raised when PayConex reserves no id: wrong credentials, or nobody there. The message says which. */
export class NoId extends Error {
  override name = 'NoId'
  constructor(words: string) {
    super(`PayConex reserves no id: ${words}. Check PAYCONEX_URL, the account and its access key.`)
  }
}

const yes = (heard: string): Finding => ({ holds: 'yes', heard })
const no = (heard: string): Finding => ({ holds: 'no', heard })
const unknown = (said: Said): Finding => ({ holds: 'unknown', heard: wordsOf(said) })

type Said = { kind: string; reason?: string; code?: string; message?: string }

const wordsOf = ({ kind, reason, code, message }: Said): string =>
  [kind.replace('_', ' '), code, message, reason].filter(Boolean).join(', ')

const isNo = ({ kind }: Said) => kind === 'declined' || kind === 'contradiction'

/** What was heard under a used id: a no, the other sale's approval, or a charge of its own. */
function apart(submitted: Submitted): Finding {
  if (submitted.kind === 'declined') return yes(`refused (${submitted.code} ${submitted.message})`)
  if (submitted.kind === 'approved') return no('charged a second time')
  if (submitted.kind !== 'contradiction') return unknown(submitted)
  return submitted.reason === 'approved with another amount'
    ? yes("the first one's answer once more")
    : no(submitted.reason)
}
