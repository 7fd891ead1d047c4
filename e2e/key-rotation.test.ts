import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshSealKey } from '../scripts/keys/fresh-key.ts'
import { repository } from '../scripts/stack/service.ts'
import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Answer, post, postAndHangUp, visaCharge } from './caller.ts'
import { until } from './matrix-payer.ts'
import { openRecords } from './matrix-records.ts'
import { witness } from './simulator.ts'

/** SEAL_KEYS changed as the README says, in their file and without a restart, while people pay. */

// A quarter of the real times, and an earlier end of waiting: SEND_BY 6 s, ANSWER_BY 7 s.
const TIMES = { TIME_SCALE: '0.25', SEND_BY_MS: '24000', PAYCONEX_TIMEOUT_MS: '4000', ANSWER_BY_MS: '28000' }
const PAY_EVERY_MS = 60
const [K1, K2, K3] = [freshSealKey('k1'), freshSealKey('k2'), freshSealKey('k3')]
const [UNCLEAR, WAITING] = ['120615000009', '120615000008']

const folder = mkdtempSync(join(tmpdir(), 'pay-keys-'))
const file = join(folder, 'seal-keys')

let stack: Stack
let serving: Pick<Stack, 'gateways' | 'workers'>
let payconex: ReturnType<typeof witness>
let records: ReturnType<typeof openRecords>

beforeAll(async () => {
  writeFileSync(file, K1)
  stack = await startTestStack({ gateways: 2, workers: 2, env: { ...TIMES, SEAL_KEYS: '', SEAL_KEYS_FILE: file } })
  serving = { gateways: [...stack.gateways], workers: [...stack.workers] }
  payconex = witness(stack.simulator?.url ?? '')
  records = openRecords(stack.ledger.url)
})

afterAll(async () => {
  records?.close()
  await stack?.stop()
  rmSync(folder, { recursive: true })
})

/** Another ring in the file, and all four processes have taken it over. */
async function changeTo(...ring: string[]): Promise<void> {
  const renewals = () => linesWith('other keys are in use').length
  const before = renewals()
  writeFileSync(file, ring.join('\n'))
  await until(() => renewals() === before + 4, 15_000, 20)
  expect(renewals()).toBe(before + 4)
}

/** As Twilio pays: on silence, or where nobody listens any more, once more under the same id. */
async function pay(): Promise<{ customId: string; answer: Answer | undefined }> {
  const body = visaCharge()
  for (let nth = 0; nth < 6; nth += 1) {
    const endpoint = serving.gateways[nth % 2]?.endpoint ?? ''
    const answer = await post(endpoint, body).catch(() => undefined)
    if (answer) return { customId: String(body.transaction_id), answer }
    await sleep(50)
  }
  return { customId: String(body.transaction_id), answer: undefined }
}

/** People who pay, one every few milliseconds, until `end`, which resolves with what all of them heard. */
function people() {
  const calls: ReturnType<typeof pay>[] = []
  const coming = setInterval(() => calls.push(pay()), PAY_EVERY_MS)
  return {
    end: () => {
      clearInterval(coming)
      return Promise.all(calls)
    },
  }
}

/** What `npm run keys -- used` says. */
async function used(): Promise<string> {
  const env = { PATH: process.env.PATH, LEDGER_REDIS_URL: stack.ledger.url }
  return (await promisify(execFile)(process.execPath, ['scripts/keys.ts', 'used'], { cwd: repository, env })).stdout
}

/** A payment that PayConex has, and whose answer is lost; its caller hangs up. On a busy machine one may come too late to be sent. */
async function payAndLose(endpoint: string | undefined, account: string): Promise<string> {
  await payconex.fault({ fault: 'reset_after_commit', account_id: account })
  for (;;) {
    const body = visaCharge()
    const customId = String(body.transaction_id)
    void postAndHangUp(endpoint ?? '', body, 3000, { user: account })
    if (await until(async () => (await payconex.books(customId)).transactions.length > 0, 7000, 20)) return customId
  }
}

const refusalOf = (starting: Promise<unknown>): Promise<string> => starting.then(() => 'it started', String)

const linesWith = (text: string): Record<string, unknown>[] =>
  stack.logs.filter((line) => line.includes(text)).map((line) => JSON.parse(line))

describe('SEAL_KEYS', () => {
  let unclear: string
  let hasty: Gateway

  it('are changed while people pay: each payment is approved, and charged once', async () => {
    const payers = people()

    await changeTo(K1, K2)
    await changeTo(K2, K1)
    await payconex.fault({ fault: '500', on: 'status', share: 1, account_id: UNCLEAR, label: 'unclear' })
    unclear = await payAndLose(serving.gateways[0]?.endpoint, UNCLEAR)
    await until(async () => !/^k1\t/m.test(await used()), 15_000, 200)
    await changeTo(K2)

    const heard = await payers.end()
    expect(heard.length).toBeGreaterThan(50)
    const { transactions, duplicates } = await payconex.books()
    const charges = new Map(transactions.map((charge) => [charge.custom_id, charge]))
    for (const { customId, answer } of heard) {
      expect(answer?.body).toEqual({ charge_id: expect.any(String), error_code: null, error_message: null })
      expect(charges.get(customId)).toMatchObject({ approved: true, transaction_id: answer?.body.charge_id })
    }
    expect(transactions).toHaveLength(heard.length + 1)
    expect(duplicates).toEqual([])
  })

  it('without a key that an open payment needs are refused by its name, and the payment ends well with it', async () => {
    await expect
      .poll(async () => (await records.find(UNCLEAR, unclear))?.state, { timeout: 15_000 })
      .toBe('unconfirmed')
    expect(await used()).toMatch(/^k2\t1$/m)

    const env = { SEAL_KEYS: K3 }
    const said = await Promise.all([refusalOf(stack.addWorker({ env })), refusalOf(stack.addGateway({ env }))])

    for (const text of said) {
      expect(text).toMatch(/SEAL_KEYS: k2 is missing, and open payments are sealed under it \(1\): put it back/)
      expect(text).not.toContain(K3.slice(3))
    }
    await payconex.clearFaults('unclear')
    await expect.poll(async () => (await records.find(UNCLEAR, unclear))?.state, { timeout: 25_000 }).toBe('approved')
  })

  it('that a gateway puts first before the workers have it lose sales, and never money', async () => {
    hasty = await stack.addGateway({ env: { SEAL_KEYS: `${K3},${K2}` } })
    const body = visaCharge()

    const answer = await post(hasty.endpoint, body)

    expect(answer.body).toMatchObject({ charge_id: null, error_code: 'not_processed' })
    expect(await payconex.requests(body.transaction_id)).toEqual([])
    // Lines are written a moment late.
    await until(() => linesWith('UNKNOWN_KEY').length > 0, 2000, 20)
    const [{ payment, time, pid, ...said } = {}, ...more] = linesWith('UNKNOWN_KEY')
    const msg = 'the payment cannot be opened'
    expect(said).toEqual({
      level: 40,
      name: 'worker',
      event: 'payment.unopened',
      attempt: 1,
      reason: 'UNKNOWN_KEY',
      msg,
    })
    expect(more).toEqual([])
  })

  it('that one worker lacks do not keep a payment from another that has them', async () => {
    const both = { SEAL_KEYS: `${K3},${K2}` }
    const [having] = await Promise.all([stack.addWorker({ env: both }), ...serving.workers.map(({ stop }) => stop())])
    const customId = await payAndLose(hasty.endpoint, WAITING)
    having.kill('SIGKILL')

    await stack.addWorker({ env: { SEAL_KEYS: K2, MODE: 'relaxed' } })
    await until(() => linesWith('the credentials cannot be opened').length > 0, 15_000, 20)
    await stack.addWorker({ env: both })

    await expect.poll(async () => (await records.find(WAITING, customId))?.state, { timeout: 20_000 }).toBe('approved')
    expect((await payconex.books(customId)).transactions).toHaveLength(1)
  })
})
