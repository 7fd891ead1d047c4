import { Secret, type Transaction } from '@pay/mapper'
import { createTimes, type Log } from '@pay/service'
import type { Payconex, Submitted } from './payconex.ts'

/** Support for this folder's tests. */

export const credentials = { accountId: '120615000001', accessKey: new Secret('key') }

export const sale: Transaction = { type: 'SALE', amount: '10.00', fields: { transaction_amount: '10.00' } }

/** A hundredth of the real times: SEND_BY 220 ms, PayConex 300 ms, ANSWER_BY 550 ms. */
export const times = createTimes({
  TRY_TIMEOUT_MS: 10_000,
  TRIES: 6,
  SEND_BY_MS: 22_000,
  ANSWER_BY_MS: 55_000,
  PAYCONEX_TIMEOUT_MS: 30_000,
  REPEAT_AFTER_MS: 8_000,
  ABSENCE_MARGIN_MS: 600_000,
  LEDGER_RETENTION_DAYS: 7,
  TIME_SCALE: 0.01,
})

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

type Script = {
  submit?: Submitted[]
  lookUp?: Awaited<ReturnType<Payconex['lookUp']>>[]
  reserve?: Awaited<ReturnType<Payconex['reserve']>>[]
}

/** A PayConex that answers what it is told, in order, the last answer again and again, and remembers what it was asked. */
export function scriptedPayconex(script: Script) {
  const asked = { submit: 0, lookUp: 0, reserve: 0 }
  const pastTimeout: boolean[] = []
  const next = <T>(name: keyof typeof asked, answers: readonly T[] | undefined): T => {
    const answer = answers?.[Math.min(asked[name], answers.length - 1)]
    asked[name] += 1
    if (answer === undefined) throw new Error(`PayConex was not expected to be asked: ${name}`)
    return answer
  }
  const payconex: Payconex = {
    submit: async () => next('submit', script.submit),
    reserve: async () => next('reserve', script.reserve),
    lookUp: async (_credentials, request) => {
      pastTimeout.push(request.pastTimeout)
      return next('lookUp', script.lookUp)
    },
  }
  return { payconex, asked, pastTimeout }
}
