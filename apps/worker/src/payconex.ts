import {
  type Asked,
  type AskedReversal,
  type AskedStatus,
  type Credentials,
  interpretAnswer,
  interpretReservation,
  interpretReversal,
  interpretStatus,
  type Outcome,
  type Reservation,
  type ReversalOutcome,
  type Said,
  Secret,
  type StatusOutcome,
  type Transaction,
  toReversal,
  type Unanswered,
} from '@pay/mapper'
import { NO_SPAN, type Span, type SpanFields } from '@pay/service'
import type { Exchanged, Unsent } from './classify.ts'
import type { Exchange } from './exchange.ts'

/** What PayConex said, or `unsent`: provably nothing reached it. */
export type Submitted = Outcome | Unsent

export type PayconexOptions = {
  url: string
  exchange: Exchange
  /** For what may move money: as long as PayConex may take. */
  timeoutMs: number
  /** For questions to TSAPI, which can be asked again. */
  questionTimeoutMs: number
}

export type Payconex = ReturnType<typeof createPayconex>

/** PayConex 3.8: QSAPI moves money, TSAPI does not. Never throws for what the network or PayConex does. */
export function createPayconex({ url, exchange, timeoutMs, questionTimeoutMs }: PayconexOptions) {
  const qsapi = `${url}/api/qsapi/3.8`
  const tsapi = `${url}/api/tsapi/3.8`
  const { hostname: server = '' } = URL.parse(url) ?? {}

  /** The trace ends here: PayConex is not told of it, and of what is said only its kind is. */
  const traced = (span: Span, api: string, request: Parameters<Exchange>[0]) =>
    span.within({ name: `PayConex ${api}`, kind: 'client', fields: { api, server } }, () => exchange(request), seen)

  const ask = (credentials: Credentials, action: string, { more = {}, alone = false, span = NO_SPAN }: Asking) =>
    traced(span, action, {
      url: tsapi,
      form: encode({
        account_id: credentials.accountId,
        api_accesskey: credentials.accessKey,
        response_format: 'JSON',
        action,
        ...more,
      }),
      timeoutMs: questionTimeoutMs,
      alone,
    })

  const isNew = createMemory()

  // An answer says by its id which payment it is about. Where it cannot, the connection must (decision 15).
  const order = (fields: Fields, { alone, span = NO_SPAN }: { alone: boolean; span?: Span | undefined }) =>
    traced(span, String(fields.transaction_type), { url: qsapi, form: encode(fields), timeoutMs, alone })

  return {
    /** Step 8: an id under which PayConex recognises a repeat, and by which the payment can be looked up. */
    async reserve(credentials: Credentials, span?: Span): Promise<Reservation | Unsent> {
      const reservation = heard(await ask(credentials, 'GET_TRANSACTION_ID', { span }), interpretReservation)
      if (reservation.kind !== 'reserved' || isNew(reservation.transactionId)) return reservation
      return { kind: 'unanswered', reason: 'the reserved id was given before' }
    },

    /** Step 10, with the id fetched beforehand if there is one; `isRepeat` if the same was sent under it before. */
    async submit(transaction: Transaction, asked: Omit<Asked, 'transaction'> = {}, span?: Span): Promise<Submitted> {
      const { reservedId } = asked
      const reserved = reservedId !== undefined && { transaction_id: reservedId }
      const alone = reservedId === undefined
      return heard(await order({ ...transaction.fields, ...reserved }, { alone, span }), (status, said) =>
        interpretAnswer(status, said, { transaction, ...asked }),
      )
    },

    /** Step 11: what became of it. Also of a reversal, which is `approved` when it was done. */
    async lookUp(credentials: Credentials, asked: AskedStatus, span?: Span): Promise<StatusOutcome> {
      const which = { transaction_id: asked.reservedId }
      // That there is none is said without an id.
      const exchanged = await ask(credentials, 'GET_TRANSACTION_STATUS', { more: which, alone: true, span })
      if (exchanged.kind !== 'answered') return { kind: 'unanswered', reason: exchanged.reason }
      return interpretStatus(exchanged.status, saidIn(exchanged), asked)
    },

    /** Undoes an approved charge. Like a payment it may have been done although the answer is lost: then look it up. */
    async reverse(
      credentials: Credentials,
      asked: AskedReversal & { customId: string },
      span?: Span,
    ): Promise<ReversalOutcome | Unsent> {
      return heard(await order(toReversal({ credentials, ...asked }), { alone: true, span }), (status, said) =>
        interpretReversal(status, said, asked),
      )
    },
  }
}

type Asking = { more?: Fields; alone?: boolean; span?: Span | undefined }

/** Of an answer its status, of a failure its class: never what was said. */
const seen = (exchanged: Exchanged): SpanFields =>
  exchanged.kind === 'answered' ? { status: exchanged.status } : { error: exchanged.kind, reason: exchanged.reason }

const REMEMBERED_IDS = 1000

/** Whether an id is seen for the first time. An answer that comes twice on a kept connection would give two payments one id, and
 * the second would be told what became of the first. */
function createMemory() {
  const seen = new Set<string>()
  return (id: string): boolean => {
    const isNew = !seen.has(id)
    seen.add(id)
    if (seen.size > REMEMBERED_IDS) seen.delete(seen.values().next().value as string)
    return isNew
  }
}

/** A lost answer is no answer; what was not sent stays apart. */
function heard<Meaning>(
  exchanged: Exchanged,
  interpret: (status: number, said: Said) => Meaning,
): Meaning | Unsent | Unanswered {
  switch (exchanged.kind) {
    case 'answered':
      return interpret(exchanged.status, saidIn(exchanged))
    case 'unsent':
      return exchanged
    case 'lost':
      return { kind: 'unanswered', reason: exchanged.reason }
  }
}

const saidIn = ({ text, answer }: Extract<Exchanged, { kind: 'answered' }>): Said => answer ?? text

type Fields = Readonly<Record<string, string | Secret>>

/** The one place where a card number leaves its `Secret`. */
function encode(fields: Fields): string {
  const plain = Object.entries(fields).map(([name, value]) => [name, value instanceof Secret ? value.expose() : value])
  return new URLSearchParams(plain as [string, string][]).toString()
}
