import { randomBytes, randomUUID } from 'node:crypto'
import { createLedger, type PaymentRecord } from '@pay/ledger'
import { type PayRequest, Secret } from '@pay/mapper'
import { createSealedPayments, sealCredentials, sealKeys, sealPayment } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createAdoptPayment } from './adopt-payment.ts'
import { createBooks } from './books.ts'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { createProcessPayment, type ProcessDeps } from './process-payment.ts'
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
  shard,
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
  const draining = new AbortController()
  const shared = {
    ledger,
    sealed,
    payconex,
    sealKeys: keys,
    times,
    owners: createOwners('w1'),
    now: () => performance.now(),
    metrics: createMetrics(),
    log: silentLog,
    ...over,
  }
  const settle = createSettle({ ...shared, draining: draining.signal })
  const books = createBooks(shared)
  const adopt = createAdoptPayment({ ...shared, books, settle })
  const mapping = { extraParameters: [], defaultParameters: {} }
  const processPayment = createProcessPayment({ reserve: 'required', mapping, ...shared, settle, books, adopt })
  return { processPayment, ...adopt, asked, drain: () => draining.abort() }
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
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [approved] })

    await processPayment(attempt)

    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved', id: RESERVED, reserved: RESERVED })
    expect(await sealed.take(attempt)).toBeNull()
    expect(asked).toEqual({ reserve: 1, submit: 1, lookUp: 0 })
  })

  it('that comes twice at the same time sends once', async () => {
    await accepted()
    const one = worker({ reserve: [reserved], submit: [approved] })
    const two = worker({ reserve: [{ ...reserved, transactionId: '000000000002' }], submit: [approved] })

    await Promise.all([one.processPayment(attempt), two.processPayment(attempt)])

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
    const { processPayment, asked } = worker({})

    await processPayment(attempt)

    expect(asked).toEqual({ reserve: 0, submit: 0, lookUp: 0 })
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('of an earlier attempt sends nothing for the next one', async () => {
    await accepted()
    await ledger.withdraw(attempt, { state: 'not_sent' })
    await accepted()
    const { processPayment, asked } = worker({})

    await processPayment(attempt)

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
    const { processPayment, asked } = worker({})

    await processPayment(attempt)

    expect(await state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
    expect(await sealed.take(attempt)).toBeNull()
  })
})

describe('reserving', () => {
  it('is tried again until it works', async () => {
    await accepted()
    const { processPayment, asked } = worker({ reserve: [unanswered, unanswered, reserved], submit: [approved] })

    await processPayment(attempt)

    expect(asked).toMatchObject({ reserve: 3, submit: 1 })
    expect(await state()).toBe('approved')
  })

  it('that never works leaves the payment not sent, at SEND_BY', async () => {
    await accepted()
    const { processPayment, asked } = worker({ reserve: [unanswered] })

    await processPayment(attempt)

    expect(await state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
  })

  it('that PayConex refuses is PayConex’ no: nothing is sent', async () => {
    await accepted()
    const { processPayment, asked } = worker({
      reserve: [{ kind: 'declined', code: '20001', message: 'Invalid account_id' }],
    })

    await processPayment(attempt)

    expect(await ledger.read(attempt.key)).toMatchObject({
      state: 'declined',
      code: '20001',
      message: 'Invalid account_id',
    })
    expect(asked.submit).toBe(0)
  })

  it('is not needed when it is preferred, and not done when it is off', async () => {
    await accepted()
    await worker({ reserve: [unanswered], submit: [approved] }, { reserve: 'preferred' }).processPayment(attempt)
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved' })

    attempt = { ...attempt, key: `p_${randomUUID()}` }
    await accepted()
    await worker({ submit: [approved] }, { reserve: 'off' }).processPayment(attempt)
    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'approved' })
  })
})

describe('a payment whose worker died', () => {
  it('is taken over by whoever gets its job again, who only asks', async () => {
    await orphaned()
    const { processPayment, asked } = worker({ lookUp: [unanswered, approved] })

    await processPayment(attempt)

    expect(await state()).toBe('approved')
    expect(asked).toEqual({ reserve: 0, submit: 0, lookUp: 2 })
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('is left alone while its worker lives', async () => {
    await accepted()
    await ledger.fence(attempt, { owner: 'alive.a', reserved: RESERVED })
    await ledger.renewLease('alive')
    const { processPayment, asked } = worker({})

    await processPayment(attempt)

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

  it('whose credentials this worker cannot open stays on the schedule, for others may', async () => {
    const record = await unconfirmed()
    const otherKeys = sealKeys.parse(`k2:${randomBytes(32).toString('base64')}`)

    await worker({}, { sealKeys: otherKeys }).askAgain(record)

    expect(await state()).toBe('unconfirmed')
  })

  it('that was asked about to the end of the schedule goes to a person', async () => {
    const record = await unconfirmed()

    await worker({ lookUp: [unanswered] }).askAgain({ ...record, asked: times.unconfirmedScheduleMs.length })

    expect(await state()).toBe('review')
  })
})

describe('a step on the books whose answer is lost', () => {
  /** The ledger takes the step, and the first answer never arrives. */
  function losing(step: 'read' | 'fence' | 'finish' | 'withdraw' | 'takeOver'): typeof ledger {
    let isLost = false
    const lossy = async (...args: never[]) => {
      const answer = await (ledger[step] as (...all: never[]) => Promise<unknown>)(...args)
      if (isLost) return answer
      isLost = true
      throw new Error('Command timed out')
    }
    return Object.assign(Object.create(ledger), { [step]: lossy })
  }

  it.each(['read', 'fence', 'finish'] as const)('is asked for again: %s', async (step) => {
    await accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [approved] }, { ledger: losing(step) })

    await processPayment(attempt)

    expect(await state()).toBe('approved')
    expect(asked.submit).toBe(1)
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('is asked for again: withdraw, and the card data is gone', async () => {
    await accepted()
    const { processPayment } = worker({ reserve: [unanswered] }, { ledger: losing('withdraw') })

    await processPayment(attempt)

    expect(await state()).toBe('not_sent')
    expect(await sealed.take(attempt)).toBeNull()
  })

  it('is asked for again: take-over, so that the payment does not stay with nobody', async () => {
    await orphaned()
    const { processPayment } = worker({ lookUp: [approved] }, { ledger: losing('takeOver') })

    await processPayment(attempt)

    expect(await state()).toBe('approved')
  })

  it('does not shorten the schedule of an unconfirmed payment', async () => {
    await accepted()
    await ledger.fence(attempt, { owner: 'w1.a', reserved: RESERVED })
    await ledger.finish(attempt, 'w1.a', { state: 'unconfirmed', dueMs: 1 })
    const { askAgain } = worker({ lookUp: [unanswered] }, { ledger: losing('finish') })

    await askAgain((await ledger.read(attempt.key)) as PaymentRecord)

    expect(await ledger.read(attempt.key)).toMatchObject({ state: 'unconfirmed', asked: 1 })
  })
})

describe('an error of our own after the fence', () => {
  it('leaves the payment unconfirmed, to be looked up, and not in sending for ever', async () => {
    await accepted()
    const { processPayment } = worker({ reserve: [reserved] })

    await processPayment(attempt)

    expect(await state()).toBe('unconfirmed')
  })
})

describe('a worker that is asked to end while it asks', () => {
  it('leaves the payment to another worker at once, while it still lives itself', async () => {
    await orphaned()
    const one = worker({ lookUp: [unanswered] })
    const asking = one.processPayment(attempt)
    await expect.poll(() => one.asked.lookUp).toBeGreaterThan(0)

    one.drain()
    await asking

    expect(await state()).toBe('sending')
    await ledger.renewLease('w1')
    await worker({ lookUp: [approved] }, { owners: createOwners('w2') }).processPayment(attempt)
    expect(await state()).toBe('approved')
  })
})

describe('a payment that its own living worker has forgotten', () => {
  it('is taken over by that worker: nobody else could', async () => {
    await accepted()
    await ledger.fence(attempt, { owner: 'w1.lost-token', reserved: RESERVED })
    await ledger.renewLease('w1')
    const record = (await ledger.read(attempt.key)) as PaymentRecord
    await worker({}, { owners: createOwners('w2') }).takeOver(record)
    expect(await state()).toBe('sending')

    await worker({ lookUp: [approved] }).takeOver(record)

    expect(await state()).toBe('approved')
  })

  it('is not one that it has in hand', async () => {
    await accepted()
    const owners = createOwners('w1')
    await owners.lend(async (owner) => {
      await ledger.fence(attempt, { owner, reserved: RESERVED })

      await worker({}, { owners }).takeOver((await ledger.read(attempt.key)) as PaymentRecord)

      expect(await ledger.read(attempt.key)).toMatchObject({ state: 'sending', owner })
    })
  })
})

describe('a record that this version cannot read', () => {
  it('does not hold the job: another worker may know it', async () => {
    await accepted()
    await ledgerRedis.hset(`{${shard}}:payment:${attempt.key}`, 'state', 'future')

    await expect(worker({}).processPayment(attempt)).rejects.toThrow('does not know')
  })
})
