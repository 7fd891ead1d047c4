import { randomBytes, randomUUID } from 'node:crypto'
import { createLedger, type PaymentRecord } from '@pay/ledger'
import { type PayRequest, Secret } from '@pay/mapper'
import { createSealedPayments, sealCredentials, sealKeys, sealPayment } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { createPaymentProcess, type ProcessDeps } from './process-payment.ts'
import { createSettle } from './settle.ts'
import { credentials, scriptedPayconex, silentLog, times } from './testing.ts'

const RESERVED = '000000000001'
const keys = sealKeys.parse(`k1:${randomBytes(32).toString('base64')}`)
// Its own keys, so that files run side by side on one Redis.
const shard = randomUUID()
const ledgerRedis = new Redis(inject('ledgerRedisUrl'))
const queueRedis = new Redis(inject('queueRedisUrl'))
const sealed = createSealedPayments(queueRedis, shard)
const ledger = createLedger({
  redis: ledgerRedis,
  sendByMs: times.sendByMs,
  leaseMs: times.leaseMs,
  retentionMs: 60_000,
})
let attempt = { key: '', attempt: 1 }

const request: PayRequest = {
  method: 'charge',
  transactionId: 'tx-1',
  instrument: { kind: 'card', number: new Secret('4111111111111111'), expiration: new Secret('0827') },
  amount: '10.00',
  currency: 'USD',
  parameters: {},
}

beforeEach(() => {
  attempt = { key: `p_${randomUUID()}`, attempt: 1 }
})

afterAll(() => {
  ledgerRedis.disconnect()
  queueRedis.disconnect()
})

type Script = Parameters<typeof scriptedPayconex>[0]

function worker(script: Script, over: Partial<ProcessDeps> = {}) {
  const { payconex, asked } = scriptedPayconex(script)
  const now = () => performance.now()
  const payments = createPaymentProcess({
    ledger,
    sealed,
    payconex,
    settle: createSettle({ payconex, ledger, times, now, log: silentLog }),
    sealKeys: keys,
    times,
    reserve: 'required',
    mapping: { extraParameters: [], defaultParameters: {} },
    newOwner: () => `w1.${randomUUID()}`,
    now,
    metrics: createMetrics(),
    log: silentLog,
    ...over,
  })
  return { ...payments, asked }
}

async function accepted(): Promise<PaymentRecord> {
  const { record } = await ledger.admit({
    key: attempt.key,
    fingerprint: 'one',
    gateway: 'g1',
    method: 'charge',
    account: credentials.accountId,
    custom_id: 'tx-1',
    amount: '10.00',
    sealedCredentials: sealCredentials(credentials, attempt.key, keys),
  })
  await sealed.keep(attempt, sealPayment({ request, credentials }, attempt, keys), 60_000)
  return record
}

/** A payment that a worker fenced before it died. */
async function orphaned(): Promise<void> {
  await accepted()
  await ledger.fence(attempt, { owner: 'dead.a', reserved: RESERVED })
  await ledger.dropLease('dead')
}

const state = async () => (await ledger.read(attempt.key))?.state

const reserved = { kind: 'reserved', transactionId: RESERVED } as const
const approved = { kind: 'approved', transactionId: RESERVED } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const

describe('a job', () => {
  it('reserves, fences, sends and writes down the outcome, and the card data is gone', async () => {
    await accepted()
    const { processJob, asked } = worker({ reserve: [reserved], submit: [approved] })

    await processJob(attempt)

    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved', id: RESERVED, reserved: RESERVED })
    expect(await sealed.take(attempt)).toBeNull()
    expect(asked).toEqual({ reserve: 1, submit: 1, lookUp: 0 })
  })

  it('that comes twice at the same time sends once', async () => {
    await accepted()
    const one = worker({ reserve: [reserved], submit: [approved] })
    const two = worker({ reserve: [{ ...reserved, transactionId: '000000000002' }], submit: [approved] })

    await Promise.all([one.processJob(attempt), two.processJob(attempt)])

    expect(one.asked.submit + two.asked.submit).toBe(1)
  })

  it.each([
    ['of an unknown payment', async () => undefined],
    [
      'of a payment that was withdrawn',
      async () => accepted().then(() => ledger.withdraw(attempt, { state: 'not_sent' })),
    ],
  ])('%s sends nothing and erases the card data', async (_, given) => {
    await given()
    await sealed.keep(attempt, 'sealed', 60_000)
    const { processJob, asked } = worker({})

    await processJob(attempt)

    expect(asked).toEqual({ reserve: 0, submit: 0, lookUp: 0 })
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('of an earlier attempt sends nothing for the next one', async () => {
    await accepted()
    await ledger.withdraw(attempt, { state: 'not_sent' })
    await accepted()
    const { processJob, asked } = worker({})

    await processJob(attempt)

    expect(asked).toEqual({ reserve: 0, submit: 0, lookUp: 0 })
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'accepted', attempt: 2 })
  })

  it.each([
    ['is gone', () => sealed.shred(attempt)],
    ['was altered', () => sealed.keep(attempt, '1.k1.AAAA', 60_000)],
    [
      'was sealed for another payment',
      () => sealed.keep(attempt, sealPayment({ request, credentials }, { key: 'p_other', attempt: 1 }, keys), 60_000),
    ],
  ])('whose sealed payment %s is not sent, and says so', async (_, harm) => {
    await accepted()
    await harm()
    const { processJob, asked } = worker({})

    await processJob(attempt)

    expect(await state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
    expect(await sealed.take(attempt)).toBeNull()
  })
})

describe('reserving', () => {
  it('is tried again until it works', async () => {
    await accepted()
    const { processJob, asked } = worker({ reserve: [unanswered, unanswered, reserved], submit: [approved] })

    await processJob(attempt)

    expect(asked).toMatchObject({ reserve: 3, submit: 1 })
    expect(await state()).toBe('approved')
  })

  it('that never works leaves the payment not sent, at SEND_BY', async () => {
    await accepted()
    const { processJob, asked } = worker({ reserve: [unanswered] })

    await processJob(attempt)

    expect(await state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
  })

  it('that PayConex refuses is PayConex’ no: nothing is sent', async () => {
    await accepted()
    const { processJob, asked } = worker({
      reserve: [{ kind: 'declined', code: '20001', message: 'Invalid account_id' }],
    })

    await processJob(attempt)

    expect(await ledger.read(attempt.key)).toMatchObject({
      state: 'declined',
      code: '20001',
      message: 'Invalid account_id',
    })
    expect(asked.submit).toBe(0)
  })

  it('is not needed when it is preferred, and not done when it is off', async () => {
    await accepted()
    await worker({ reserve: [unanswered], submit: [approved] }, { reserve: 'preferred' }).processJob(attempt)
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved' })

    attempt = { ...attempt, key: `p_${randomUUID()}` }
    await accepted()
    await worker({ submit: [approved] }, { reserve: 'off' }).processJob(attempt)
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved' })
  })
})

describe('a payment whose worker died', () => {
  it('is taken over by whoever gets its job again, who only asks', async () => {
    await orphaned()
    const { processJob, asked } = worker({ lookUp: [unanswered, approved] })

    await processJob(attempt)

    expect(await state()).toBe('approved')
    expect(asked).toEqual({ reserve: 0, submit: 0, lookUp: 2 })
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('is left alone while its worker lives', async () => {
    await accepted()
    await ledger.fence(attempt, { owner: 'alive.a', reserved: RESERVED })
    await ledger.renewLease('alive')
    const { processJob, asked } = worker({})

    await processJob(attempt)

    expect(await state()).toBe('sending')
    expect(asked.lookUp).toBe(0)
  })
})

describe('an unconfirmed payment', () => {
  async function unconfirmed(): Promise<PaymentRecord> {
    await accepted()
    await ledger.fence(attempt, { owner: 'w1.a', reserved: RESERVED })
    await ledger.finish(attempt, 'w1.a', { state: 'unconfirmed', dueMs: 1 })
    return (await ledger.read(attempt.key)) as PaymentRecord
  }

  it('that is found approved becomes approved', async () => {
    const record = await unconfirmed()

    await worker({ lookUp: [approved] }).askAgain(record)

    expect(await state()).toBe('approved')
  })

  it('that is not found stays unconfirmed and is asked about again, later each time', async () => {
    const record = await unconfirmed()

    await worker({ lookUp: [unanswered] }).askAgain(record)

    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'unconfirmed', asked: record.asked + 1 })
  })

  it('whose credentials can no longer be opened goes to a person', async () => {
    const record = await unconfirmed()
    const otherKeys = sealKeys.parse(`k2:${randomBytes(32).toString('base64')}`)

    await worker({}, { sealKeys: otherKeys }).askAgain(record)

    expect(await state()).toBe('review')
  })

  it('that was asked about to the end of the schedule goes to a person', async () => {
    const record = await unconfirmed()

    await worker({ lookUp: [unanswered] }).askAgain({ ...record, asked: times.unconfirmedScheduleMs.length })

    expect(await state()).toBe('review')
  })
})
