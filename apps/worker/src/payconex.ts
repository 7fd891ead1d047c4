import {
  type Credentials,
  interpretAnswer,
  interpretReservation,
  interpretStatus,
  type Outcome,
  Secret,
  type Transaction,
} from '@pay/mapper'
import type { Exchange } from './exchange.ts'

/** What PayConex said to a submission, or `unsent`: provably nothing reached it. */
export type Submitted = Outcome | { kind: 'unsent'; reason: string }

export type Reservation = ReturnType<typeof interpretReservation>

export type LookUp = { type: Transaction['type']; reservedId: string; pastTimeout: boolean }

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

  const ask = (credentials: Credentials, action: string, more: Fields = {}) =>
    exchange({
      url: tsapi,
      form: encode({
        account_id: credentials.accountId,
        api_accesskey: credentials.accessKey,
        response_format: 'JSON',
        action,
        ...more,
      }),
      timeoutMs: questionTimeoutMs,
    })

  return {
    /** Step 8: an id under which PayConex recognises a repeat, and by which the payment can be looked up. */
    async reserve(credentials: Credentials): Promise<Reservation> {
      const answer = await ask(credentials, 'GET_TRANSACTION_ID')
      if (answer.kind !== 'answered') return { kind: 'unanswered', reason: answer.reason }
      return interpretReservation(answer.status, answer.text)
    },

    /** Step 10. */
    async submit(transaction: Transaction, reservedId?: string): Promise<Submitted> {
      const fields =
        reservedId === undefined ? transaction.fields : { ...transaction.fields, transaction_id: reservedId }
      const answer = await exchange({ url: qsapi, form: encode(fields), timeoutMs })
      if (answer.kind === 'unsent') return answer
      if (answer.kind === 'lost') return { kind: 'unanswered', reason: answer.reason }
      return interpretAnswer(answer.status, answer.text, {
        transaction,
        ...(reservedId !== undefined && { reservedId }),
      })
    },

    /** Step 11: what became of it. */
    async lookUp(credentials: Credentials, asked: LookUp): Promise<Outcome> {
      const answer = await ask(credentials, 'GET_TRANSACTION_STATUS', { transaction_id: asked.reservedId })
      if (answer.kind !== 'answered') return { kind: 'unanswered', reason: answer.reason }
      return interpretStatus(answer.status, answer.text, asked)
    },
  }
}

type Fields = Readonly<Record<string, string | Secret>>

/** The one place where a card number leaves its `Secret`. */
function encode(fields: Fields): string {
  const plain = Object.entries(fields).map(([name, value]) => [name, value instanceof Secret ? value.expose() : value])
  return new URLSearchParams(plain as [string, string][]).toString()
}
