import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openProxy, type TcpProxy } from '../scripts/chaos/proxy.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { visaCharge } from './caller.ts'
import { openFront, selfSigned } from './matrix-front.ts'
import { createPayers, until } from './matrix-payer.ts'
import { everythingIn } from './redis-contents.ts'

/** Group A of the fault matrix (docs/fault-matrix.md): the way to PayConex, and its rules for ids. One after the other: here
 * the faults are those of a connection, and hit everybody. */

// A tenth of the real times: a connection may take 0.5 s, the circuit opens after 0.5 s, SEND_BY 2.2 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1

let stack: Stack
let payers: ReturnType<typeof createPayers>
let front: Awaited<ReturnType<typeof openFront>>
let wayToPayconex: TcpProxy
let wayToLedger: TcpProxy
const folder = mkdtempSync(join(tmpdir(), 'pay-matrix-'))
const trusted = await selfSigned()
const expired = await selfSigned({ expired: true })
const ofAnother = await selfSigned({ host: 'payconex.example' })

// Worker -> proxy -> TLS front -> simulator, and worker -> proxy -> ledger.
beforeAll(async () => {
  // Whoever asks PayConex for an id is a payment at this point of its way.
  const env = { TIME_SCALE: String(TIME_SCALE), ABSENCE_MARGIN_MS: '10000', IDS_AHEAD: '0' }
  stack = await startTestStack({ workers: 0, env })
  front = await openFront(stack.simulator?.url ?? '', trusted)
  wayToPayconex = await openProxy({ to: front.url })
  wayToLedger = await openProxy({ to: stack.ledger.urls.worker })
  const CA_FILE = join(folder, 'authorities.pem')
  writeFileSync(CA_FILE, [trusted, expired, ofAnother].map(({ cert }) => cert).join('\n'))
  await stack.addWorker({
    env: { PAYCONEX_URL: wayToPayconex.url, LEDGER_REDIS_URL: wayToLedger.url, CA_FILE },
  })
  payers = createPayers({ stack, timeScale: TIME_SCALE })
})

afterEach(async () => {
  front.show(trusted)
  await Promise.all([wayToPayconex.heal(), wayToLedger.heal()])
  await payers.payconex.settings({ usedId: 'refuse', usedIdInFlight: 'refuse' })
  // The circuit may be open, and closes by itself.
  expect(await payers.isServed()).toBe(true)
})

afterAll(async () => {
  payers?.close()
  await stack?.stop()
  await Promise.all([wayToPayconex?.close(), wayToLedger?.close()])
  front?.close()
  rmSync(folder, { recursive: true })
})

const charged = { heard: 'approved', ledger: 'approved', charged: 1, returned: 0 }
const notSent = { heard: 'not_processed', ledger: 'not_sent', charged: 0, returned: 0 }
const unknown = { heard: 'unconfirmed', ledger: 'unconfirmed', charged: 0, returned: 0 }

const refused = { kind: 'down' } as const
const silent = { kind: 'timeout' } as const
const isNothingSealed = async () => !(await everythingIn(stack.queue.url)).some((text) => text.includes(':sealed:'))

describe('a PayConex that cannot be connected to', () => {
  it.each([
    ['refuses the connection', refused],
    ['says nothing, not even a TLS hello', silent],
  ])('A1: and %s, but is back in time: charged once', async (_what, toxic) => {
    wayToPayconex.resetAll()
    await wayToPayconex.set(toxic)
    const payer = payers.payer()
    const call = payer.call()

    await sleep(300)
    await wayToPayconex.heal()

    expect(await call).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
  })

  it.each([
    ['refuses the connection', refused],
    ['says nothing, not even a TLS hello', silent],
  ])('A2: and %s, for good: nothing is sent, nothing stays sealed', async (_what, toxic) => {
    wayToPayconex.resetAll()
    await wayToPayconex.set(toxic)
    const payer = payers.payer()
    await payer.call()

    expect(await payer.books('not_sent')).toEqual(notSent)
    expect(await payer.requests('reserve')).toEqual([])
    expect(await until(isNothingSealed, 5000)).toBe(true)
  })

  /** The worker has its id and stands before the fence; PayConex can then be taken away from it. */
  async function standsBeforeTheFence() {
    const payer = payers.payer()
    await payer.fault({ fault: 'delay', ms: 300, on: 'reserve' })
    const call = payer.call()
    await payer.arrived('reserve')
    await wayToLedger.set({ kind: 'stall' })
    await sleep(500)
    await wayToPayconex.set(refused)
    await wayToLedger.heal()
    await payer.reaches('sending')
    return { payer, call }
  }

  it('A1: when the payment is to be sent, but is back in time: charged once, under the same id', async () => {
    const { payer, call } = await standsBeforeTheFence()

    const isTried = () => stack.logs.some((line) => line.includes('never connected to PayConex'))
    expect(await until(isTried, 2000, 20)).toBe(true)
    await wayToPayconex.heal()

    expect(await call).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
    expect(await payer.requests('reserve')).toHaveLength(1)
  })

  it('A2: when the payment is to be sent, for good: not a byte has left, and that is what the caller hears', async () => {
    const { payer, call } = await standsBeforeTheFence()

    expect(await call).toBe('not_processed')
    expect(await payer.books('not_sent')).toEqual(notSent)
  })
})

describe('a PayConex that shows a certificate', () => {
  it.each([
    ['that has expired', async () => expired, 'CERT_HAS_EXPIRED'],
    ['of another name', async () => ofAnother, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['of an unknown authority', selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('A3: %s: nothing is sent, without a storm of tries, and the log says why', async (_what, make, reason) => {
    const certificate = await make()
    front.show(certificate)
    const before = front.handshakes()
    const payer = payers.payer()
    await payer.call()

    expect(await payer.books('not_sent')).toEqual(notSent)
    expect(await payer.requests('reserve')).toEqual([])
    // Pauses of 10, 20, 40 and then 80 ms until SEND_BY.
    expect(front.handshakes() - before).toBeLessThan(40)
    expect(stack.logs.filter((line) => line.includes(payer.customId))).toEqual([])
    // Lines are written a moment late.
    await expect.poll(() => stack.logs.some((line) => line.includes(`"reason":"${reason}"`))).toBe(true)
  })
})

describe('a connection that is reset', () => {
  it('A4: during the TLS handshake: not a byte has left, tried again, charged once', async () => {
    wayToPayconex.resetAll()
    await wayToPayconex.set({ kind: 'cut', next: 3 })
    const payer = payers.payer()

    expect(await payer.call()).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
    expect(wayToPayconex.hits()).toBeGreaterThanOrEqual(3)
  })

  it('A5: when it was used before, and PayConex is not known to honour ids: neither sent again nor taken for absent, until it is', async () => {
    const payer = payers.payer()
    await payer.fault({ fault: 'reset_before_commit' })

    // The caller hears it after 5.5 s; the absence margin has passed 4 s after the send.
    expect(await payer.call()).toBe('unconfirmed')
    const asked = (await payer.requests('status')).length
    await payer.arrived('status', asked + 3)

    expect((await payer.record())?.absent).toBeTruthy()
    expect(await payer.books('unconfirmed')).toEqual(unknown)
    await payer.prove()
    expect(await payer.books('not_sent')).toEqual({ ...unknown, ledger: 'not_sent' })
    expect(await payer.sends()).toHaveLength(1)
  })

  it('A5: when it was used before, and PayConex honours ids: asked about, then sent under the same id', async () => {
    const payer = payers.payer()
    await payer.prove()
    await payer.fault({ fault: 'reset_before_commit' })

    expect(await payer.call()).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
    const [first, ...more] = await payer.sends()
    expect(more).toEqual([first])
  })

  it('A5: in the middle of a request: asked about, then sent under the same id', async () => {
    const payer = payers.payer()
    await payer.prove()
    wayToPayconex.resetAll()
    await payer.fault({ fault: 'delay', ms: 300, on: 'reserve' })
    const call = payer.call()
    await payer.arrived('reserve', 2)
    await wayToPayconex.set({ kind: 'limit_data', way: 'to', bytes: 1500, next: 1 })

    expect(await call).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
  })
})

describe('an id that is sent twice', () => {
  // Accepting a used id again is what Bluefin says PayConex does not do (docs/fault-matrix.md, A19).
  it.each(['refuse', 'replay'])('A19: PayConex would %s it; look-ups lag behind: charged once', async (rule) => {
    await payers.payconex.settings({ usedId: rule, usedIdInFlight: rule })
    const payer = payers.payer()
    await payer.prove()
    await payer.fault({ fault: 'reset_after_commit' })
    await payer.fault({ fault: 'not_found', on: 'status', next: 6 })

    expect(await payer.call()).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
    expect(await payer.sends()).toHaveLength(2)
  })

  it.each(['refuse', 'replay', 'accept'])('A19: PayConex would %s it; look-ups find it: sent once', async (rule) => {
    await payers.payconex.settings({ usedId: rule, usedIdInFlight: rule })
    const payer = payers.payer(visaCharge)
    await payer.prove()
    await payer.fault({ fault: 'reset_after_commit' })

    expect(await payer.call()).toBe('approved')
    expect(await payer.books('approved')).toEqual(charged)
    expect(await payer.sends()).toHaveLength(1)
  })
})

describe('without a reserved id there is nothing to ask by', () => {
  beforeAll(async () => {
    await stack.workers[0]?.stop()
    await stack.addWorker({ env: { PAYCONEX_RESERVE: 'off' } })
    expect(await payers.isServed()).toBe(true)
  })

  it.each([
    ['A6: not committed, and the answer is lost', 'reset_before_commit', 0],
    ['A7: committed, and the answer is lost', 'reset_after_commit', 1],
  ])('%s: unconfirmed, never sent again, for a person to look at', async (_what, fault, count) => {
    const payer = payers.payer()
    await payer.fault({ fault })

    expect(await payer.call()).toBe('unconfirmed')
    expect(await payer.books('review')).toEqual({ ...notSent, heard: 'unconfirmed', ledger: 'review', charged: count })
    expect(await payer.sends()).toHaveLength(1)
  })
})
