import { setImmediate } from 'node:timers/promises'
import { Secret, type Transaction } from '@pay/mapper'
import { type Clock, createTimes, type Log } from '@pay/service'
import type { Payconex } from './payconex.ts'

/** Support for this folder's tests. */

export const credentials = { accountId: '120615000001', accessKey: new Secret('key') }

export const sale: Transaction = { type: 'SALE', amount: '10.00', fields: { transaction_amount: '10.00' } }

/** The real times: SEND_BY 22 s, PayConex 30 s, ANSWER_BY 55 s. With a clock that does not wait they cost nothing. */
export const times = createTimes({
  TRY_TIMEOUT_MS: 10_000,
  TRIES: 6,
  SEND_BY_MS: 22_000,
  ANSWER_BY_MS: 55_000,
  PAYCONEX_TIMEOUT_MS: 30_000,
  REPEAT_AFTER_MS: 8_000,
  ABSENCE_MARGIN_MS: 600_000,
  LEDGER_RETENTION_DAYS: 7,
  TIME_SCALE: 1,
})

/** A clock that moves when somebody sleeps, by as much and at once, or when the test says so. In whole ms, as the ledger's. */
export function quickClock(): Clock & { pass: (ms: number) => void } {
  let ms = 1_000_000
  const pass = (by: number) => {
    ms += Math.round(by)
  }
  const sleep = async (by: number, signal?: AbortSignal) => {
    if (!signal?.aborted) pass(by)
    await setImmediate()
  }
  return { now: () => ms, sleep, pass }
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** A log that remembers its lines. */
export function listeningLog() {
  const lines: unknown[] = []
  const say = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  return { log, lines }
}

type Name = keyof Payconex

type Answer<N extends Name> = Awaited<ReturnType<Payconex[N]>>

/** What is answered, one after the other and the last one again and again. A function is called first: something else happens
 * while PayConex is asked. */
export type Script = { [N in Name]?: (Answer<N> | (() => Answer<N> | Promise<Answer<N>>))[] }

/** A PayConex that answers what it is told, and remembers what it was asked. */
export function scriptedPayconex(script: Script) {
  const asked = { reserve: 0, submit: 0, lookUp: 0, reverse: 0 }
  const lookUps: Parameters<Payconex['lookUp']>[1][] = []
  const submissions: (Parameters<Payconex['submit']>[1] & object)[] = []
  const reversals: Parameters<Payconex['reverse']>[1][] = []
  async function next<N extends Name>(name: N): Promise<Answer<N>> {
    const answers = script[name]
    const answer = answers?.[Math.min(asked[name], answers.length - 1)]
    asked[name] += 1
    if (answer === undefined) throw new Error(`PayConex was not expected to be asked: ${name}`)
    return typeof answer === 'function' ? answer() : (answer as Answer<N>)
  }
  const payconex: Payconex = {
    reserve: async () => next('reserve'),
    submit: async (_transaction, options = {}) => {
      submissions.push(options)
      return next('submit')
    },
    lookUp: async (_credentials, lookUp) => {
      lookUps.push(lookUp)
      return next('lookUp')
    },
    reverse: async (_credentials, reversal) => {
      reversals.push(reversal)
      return next('reverse')
    },
  }
  return { payconex, asked, lookUps, submissions, reversals }
}
