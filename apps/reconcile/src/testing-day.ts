import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Entry } from '@pay/ledger'
import { connectFailingFast, whenReady } from '@pay/payment-queue'
import { openTestLedger } from '../../../packages/ledger/src/testing.ts'
import { freePort } from '../../../scripts/process/free-port.ts'
import { startService } from '../../../scripts/stack/service.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { runReconcile } from './run-reconcile.ts'
import { ACCOUNT } from './testing.ts'

/** A ledger on a Redis of its own and a simulator of PayConex, both with their clocks set to a time of the test's choice, and payments
 * that go through the real scripts and the real QSAPI. */
export async function openTrial() {
  const redis = await startTestRedis({ kind: 'ledger' })
  const port = await freePort()
  const payconex = `http://127.0.0.1:${port}`
  const simulator = await startService({
    name: 'simulator',
    app: 'payconex-simulator',
    env: { PORT: String(port), HOST: '127.0.0.1' },
    readyUrl: `${payconex}/_sim`,
    onLine: () => undefined,
  })
  const connection = connectFailingFast({ url: redis.url })
  await whenReady(connection, 5000)
  const folder = mkdtempSync(join(tmpdir(), 'pay-reconcile-'))
  let shiftMs = 0
  const now = () => Date.now() + shiftMs
  const openLedger = (shard: string) =>
    openTestLedger({ redis: connection, shard, now, times: { retentionMs: 24 * 60 * 60 * 1000 } })
  let ledger = await openLedger('s0')

  const post = async (path: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ api_accesskey: KEY, account_id: ACCOUNT, response_format: 'JSON', ...form })
    return (await (await fetch(`${payconex}/api/${path}/3.8`, { method: 'POST', body })).json()) as Answer
  }
  const control = async (what: string, body: object) => {
    await fetch(`${payconex}/_sim/${what}`, { method: 'POST', body: JSON.stringify(body) })
  }

  /** PayConex' clock and ours. */
  async function at(ms: number): Promise<void> {
    shiftMs = Math.round(ms - Date.now())
    await control('settings', { clockShiftMs: shiftMs })
  }

  /** PayConex alone: what happens there behind the connector's back. */
  const charge = (customId: string, form: Record<string, string> = {}) =>
    post('qsapi', { ...CARD, custom_id: customId, transaction_type: 'SALE', transaction_amount: '10.00', ...form })

  const undo = (id: string, form: Record<string, string> = {}) =>
    post('qsapi', { transaction_type: 'REVERSAL', token_id: id, ...form })

  /** One payment, from its first try to what the worker writes down of it. */
  async function pay(customId: string, options: PayOptions = {}) {
    const { account = ACCOUNT, method = 'charge', outcome, sendsAfterMs = 0, form = {}, isCharged = true } = options
    const key = `p_${randomUUID()}`
    const attempt = { key, attempt: 1 }
    const amount = method === 'charge' ? { amount: '10.00' } : {}
    const admission = { fingerprint: 'one', seat: 'g1:1', method, account, custom_id: customId, ...amount }
    await ledger.admit({ key, ...admission, sealedCredentials: 'sealed' })
    const { transaction_id: reserved = '' } = await post('tsapi', { action: 'GET_TRANSACTION_ID', account_id: account })
    if (outcome?.state === 'not_sent') {
      await ledger.withdraw(attempt, outcome)
      return { key, attempt, reserved }
    }
    await ledger.fence(attempt, { owner: OWNER, reserved })
    if (sendsAfterMs > 0) await at(now() + sendsAfterMs)
    const type = method === 'charge' ? 'SALE' : 'STORE'
    if (isCharged)
      await charge(customId, { account_id: account, transaction_id: reserved, transaction_type: type, ...form })
    await ledger.finish(attempt, OWNER, outcome ?? { state: 'approved', id: reserved })
    return { key, attempt, reserved }
  }

  /** One that was reversed because nobody can have heard of it. */
  async function payAndReverse(customId: string, { isUndone = true } = {}) {
    const key = `p_${randomUUID()}`
    const attempt = { key, attempt: 1 }
    const who = { fingerprint: 'one', seat: 'g1:1', method: 'charge', account: ACCOUNT, custom_id: customId } as const
    await ledger.admit({ key, ...who, amount: '10.00', sealedCredentials: 'sealed' })
    const ids = [await post('tsapi', RESERVE), await post('tsapi', RESERVE)].map((said) => said.transaction_id ?? '')
    const [reserved = '', reversal = ''] = ids
    await ledger.fence(attempt, { owner: OWNER, reserved })
    await ledger.leave(key, 'g1:1')
    await charge(customId, { transaction_id: reserved })
    await ledger.finish(attempt, OWNER, { state: 'approved', id: reserved })
    await at(now() + 61_000)
    await ledger.reverse(attempt, { owner: OWNER, reversal })
    if (isUndone) await undo(reserved, { transaction_id: reversal, custom_id: customId })
    await ledger.finish(attempt, OWNER, { state: 'reversed', id: reversal })
    return { reserved, reversal }
  }

  const accounts = (keys: Record<string, string>) => {
    const path = join(folder, `${randomUUID()}.json`)
    writeFileSync(path, JSON.stringify(keys))
    return path
  }

  /** As an operator runs it, as the user `operator`. */
  async function match(
    args: readonly string[],
    { env = {}, input = new PassThrough(), keys = KEYS }: MatchOptions = {},
  ) {
    const [output, messages] = [new PassThrough(), new PassThrough()]
    const file = keys && { ACCOUNTS_FILE: accounts(keys) }
    const given = { LEDGER_REDIS_URL: redis.urls.operator, PAYCONEX_URL: payconex, ...file }
    const surroundings = { env: { ...given, ...env }, input, output, messages, now }
    const code = await runReconcile(args, surroundings).finally(() => [output, messages].map((stream) => stream.end()))
    return { code, out: await text(output), said: await text(messages) }
  }

  return {
    at,
    charge,
    undo,
    pay,
    payAndReverse,
    match,
    control,
    redis: connection,
    ledgerUrl: redis.url,
    openLedger,
    /** Both start anew. */
    async reset() {
      await connection.flushall()
      await control('reset', {})
      ledger = await openLedger('s0')
    },
    async close() {
      connection.disconnect()
      rmSync(folder, { recursive: true })
      await Promise.all([simulator.stop(), redis.stop()])
    },
  }
}

export type Trial = Awaited<ReturnType<typeof openTrial>>

type Answer = { transaction_id?: string }
type PayOptions = {
  account?: string
  method?: 'charge' | 'tokenize'
  outcome?: Entry
  /** PayConex gets it so long after the first try. */
  sendsAfterMs?: number
  form?: Record<string, string>
  isCharged?: boolean
}
type MatchOptions = {
  env?: Record<string, string>
  input?: NodeJS.ReadableStream & { isTTY?: boolean }
  /** None: without a file. */
  keys?: Record<string, string> | null
}

export const KEY = 'canary0access0key0canary0access0'
export const CARD_NUMBER = '4111111111111111'
const KEYS = { [ACCOUNT]: KEY }
const OWNER = 'w1.a'
const RESERVE = { action: 'GET_TRANSACTION_ID' }
const CARD = { tender_type: 'CARD', card_number: CARD_NUMBER, card_expiration: '1230', card_verification: '123' }
