import { setImmediate } from 'node:timers/promises'
import { type Credentials, type Reservation, Secret, type Transaction } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import { createIdsAhead } from './ids-ahead.ts'
import { createMetrics } from './metrics.ts'
import type { Payconex, Submitted } from './payconex.ts'
import { listeningLog, quickClock, times } from './testing.ts'

const credentialsOf = (accountId: string, key = 'key'): Credentials => ({ accountId, accessKey: new Secret(key) })
const account = credentialsOf('120615000001')
const saleOf = ({ accountId, accessKey }: Credentials): Transaction => ({
  type: 'SALE',
  amount: '10.00',
  fields: { account_id: accountId, api_accesskey: accessKey },
})
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const refused = { kind: 'declined', code: '20002', message: 'Invalid api_accesskey' } as const
const away = { kind: 'unsent', reason: 'circuit open', retry: false } as const
const NO_MORE = 'no ids are reserved ahead any more for an account'

/** A PayConex whose answers to GET_TRANSACTION_ID come when the test says so, or at once. */
function start({ most = 64, isSlow = false } = {}) {
  const clock = quickClock()
  const draining = new AbortController()
  const { log, lines } = listeningLog()
  const metrics = createMetrics()
  const asked: string[] = []
  const waiting: ((reservation: Reservation | typeof away) => void)[] = []
  const world = { isThere: true, reservation: undefined as Reservation | typeof away | undefined }
  let last = 0
  const fresh = (): Reservation => ({ kind: 'reserved', transactionId: idOf(++last) })
  const payconex = {
    reserve: async ({ accountId }: Credentials) => {
      asked.push(accountId)
      if (!isSlow) return world.reservation ?? fresh()
      return new Promise<Reservation | typeof away>((resolve) => waiting.push(resolve))
    },
    submit: async () => submitted,
  } as unknown as Payconex
  let submitted: Submitted = unanswered
  const hasAnsweredWithin = (ms: number) => ms === times.signOfLifeMs && world.isThere
  const ids = createIdsAhead({
    payconex,
    most,
    hasAnsweredWithin,
    times,
    draining: draining.signal,
    clock,
    metrics,
    log,
  })

  async function submit(answer: Submitted, { credentials = account, isRepeat = false, reservedId = idOf(0) } = {}) {
    submitted = answer
    await ids.payconex.submit(saleOf(credentials), { reservedId, isRepeat })
    await setImmediate()
  }
  const prove = (credentials = account) => submit({ kind: 'approved', transactionId: idOf(0) }, { credentials })
  const take = async (credentials = account) => {
    const reservation = await ids.take(credentials)
    await setImmediate()
    return reservation
  }
  /** One payment after the other. */
  const takeOften = async (count: number, everyMs: number) => {
    for (let n = 0; n < count; n += 1) {
      clock.pass(everyMs)
      await take()
    }
  }
  const counted = async (how: string) => {
    const metric = await metrics.registry.getSingleMetric('pay_worker_reserved_ids_total')?.get()
    return metric?.values.find(({ labels }) => labels.how === how)?.value ?? 0
  }
  const answerAll = async (reservation?: Reservation) => {
    for (const answer of waiting.splice(0)) answer(reservation ?? fresh())
    await setImmediate()
  }
  return { ids, clock, asked, lines, world, submit, prove, take, takeOften, counted, answerAll, draining }
}

const idOf = (n: number) => String(n).padStart(12, '0')

describe('ids ahead', () => {
  it('are fetched once an approval has carried its own reserved id, and not before', async () => {
    const { take, prove, asked, counted } = start()
    await take()
    await take()
    expect(asked).toHaveLength(2)

    await prove()
    expect(asked).toHaveLength(3)

    expect(await take()).toEqual({ kind: 'reserved', transactionId: idOf(3) })
    expect(await counted('ahead')).toBe(1)
    expect(await counted('waited')).toBe(2)
  })

  it.each<[string, Submitted, string | undefined]>([
    ['under an id that was not reserved', { kind: 'approved', transactionId: idOf(7) }, undefined],
    ['of another id', { kind: 'approved', transactionId: idOf(7) }, idOf(0)],
    ['that is a decline', { kind: 'declined', code: '30002', message: 'DECLINED' }, idOf(0)],
    ['that is lost', unanswered, idOf(0)],
  ])('are not fetched after an answer %s', async (_what, answer, reservedId) => {
    const { ids, submit, asked } = start()

    if (reservedId) await submit(answer, { reservedId })
    else await ids.payconex.submit(saleOf(account))

    expect(asked).toEqual([])
  })

  it('of one caller who pays again and again: one, and each payment finds it', async () => {
    const { prove, takeOften, asked, counted } = start()
    await prove()

    await takeOften(200, 35)

    expect(await counted('ahead')).toBe(200)
    expect(asked).toHaveLength(201)
  })

  it('are never given to two payments', async () => {
    const { prove, take } = start()
    await prove()

    const taken = await Promise.all(Array.from({ length: 100 }, () => take()))

    const ids = taken.map((reservation) => (reservation.kind === 'reserved' ? reservation.transactionId : ''))
    expect(new Set(ids).size).toBe(100)
  })

  it('are not kept longer than their time', async () => {
    const { prove, take, clock, counted } = start()
    await prove()

    clock.pass(times.idAheadMs + 1)

    expect(await take()).toEqual({ kind: 'reserved', transactionId: idOf(2) })
    expect(await counted('unused')).toBe(1)
    expect(await counted('ahead')).toBe(0)
  })

  it('are not fetched for an account whose payments come rarely: nothing is asked for in vain again and again', async () => {
    const { prove, takeOften, asked, counted } = start()
    await prove()

    await takeOften(20, times.idAheadMs + 1)

    expect(asked).toHaveLength(21)
    expect(await counted('unused')).toBe(1)
  })

  it('are fetched again when the payments of such an account come one after the other', async () => {
    const { prove, takeOften, counted } = start()
    await prove()
    await takeOften(2, times.idAheadMs + 1)

    await takeOften(10, 100)

    expect(await counted('ahead')).toBe(9)
  })

  it('cost nothing when nobody pays', async () => {
    const { prove, takeOften, asked, clock } = start()
    await prove()
    await takeOften(50, 10)
    const before = asked.length

    clock.pass(60_000)
    await setImmediate()

    expect(asked).toHaveLength(before)
  })

  it('of one access key never serve another', async () => {
    const { prove, take, asked } = start()
    await prove()
    const [reserved] = await Promise.all([take(credentialsOf(account.accountId, 'another key'))])

    expect(asked).toHaveLength(2)
    expect(reserved).toEqual({ kind: 'reserved', transactionId: idOf(2) })
    expect(await take()).toEqual({ kind: 'reserved', transactionId: idOf(1) })
  })

  it('are none where none are wanted', async () => {
    const { prove, take, asked } = start({ most: 0 })
    await prove()
    await take()
    await take()

    expect(asked).toHaveLength(2)
  })

  it('are not fetched any more by a worker that is asked to end, and those that are here are used', async () => {
    const { prove, take, draining, asked } = start()
    await prove()

    draining.abort()
    await take()

    expect(asked).toHaveLength(1)
  })
})

describe('ids ahead of a PayConex that has not answered a moment ago', () => {
  it('are not used: it is asked whether it is there before it is sent a charge', async () => {
    const { prove, take, world, asked } = start()
    await prove()

    world.isThere = false
    world.reservation = unanswered
    expect(await take()).toEqual(unanswered)

    world.isThere = true
    expect(await take()).toEqual({ kind: 'reserved', transactionId: idOf(1) })
    expect(asked).toHaveLength(3)
  })

  it('are not fetched either', async () => {
    const { prove, takeOften, world, asked } = start()
    await prove()

    world.isThere = false
    await takeOften(20, 2000)

    expect(asked).toHaveLength(21)
  })
})

describe('as many ids ahead as are needed', () => {
  it('more where many payments come at once, as far as allowed', async () => {
    const { prove, take, asked } = start({ most: 8 })
    await prove()

    for (let burst = 0; burst < 5; burst += 1) await Promise.all(Array.from({ length: 20 }, () => take()))
    const before = asked.length
    const more = await Promise.all(Array.from({ length: 9 }, () => take()))

    const last = Math.max(...more.map((one) => (one.kind === 'reserved' ? Number(one.transactionId) : 0)))
    expect(last).toBe(before + 1)
  })

  it('although no payment has more than two fetched', async () => {
    const { prove, take, asked, answerAll } = start({ isSlow: true })
    await prove()

    const payments = Array.from({ length: 10 }, () => take())

    // Each takes what is on its way, has its place filled, and one more fetched because it waits.
    expect(asked).toHaveLength(1 + 2 * 10)
    await answerAll()
    expect(await Promise.all(payments)).toHaveLength(10)
  })

  it('fewer again when payments come one after the other', async () => {
    const { prove, take, takeOften, asked, clock, counted } = start()
    await prove()
    for (let burst = 0; burst < 5; burst += 1) await Promise.all(Array.from({ length: 20 }, () => take()))

    await takeOften(100, 100)
    const before = [asked.length, await counted('unused')] as const
    await takeOften(100, 100)

    expect([asked.length - before[0], await counted('unused')]).toEqual([100, before[1]])
    clock.pass(times.idAheadMs + 1)
    await take()
    expect((await counted('unused')) - before[1]).toBeLessThanOrEqual(1)
  })
})

describe('a payment that comes while an id is on its way', () => {
  it('waits for that one, which is its own', async () => {
    const { prove, take, answerAll, counted, asked } = start({ isSlow: true })
    await prove()

    const payment = take()
    const fetchesAhead = asked.length
    await answerAll()

    expect(await payment).toMatchObject({ kind: 'reserved' })
    expect(fetchesAhead).toBe(3)
    expect(await counted('waited')).toBe(1)
    expect(await take()).not.toEqual(await payment)
  })

  it('hears that there is none, as if it had asked by itself', async () => {
    const { prove, take, answerAll } = start({ isSlow: true })
    await prove()
    const payment = take()

    await answerAll(unanswered)

    expect(await payment).toEqual(unanswered)
  })
})

describe('ids ahead that cannot be had', () => {
  it('change nothing for payments, and are not asked for again at once', async () => {
    const { prove, take, clock, world, asked } = start()
    world.reservation = unanswered
    await prove()
    expect(asked).toHaveLength(1)
    for (let n = 0; n < 20; n += 1) expect(await take()).toEqual(unanswered)
    expect(asked).toHaveLength(21)

    world.reservation = undefined
    clock.pass(times.idsPauseMs)

    expect(await take()).toMatchObject({ kind: 'reserved' })
    const before = asked.length
    await take()
    expect(asked.length).toBeGreaterThan(before)
  })

  it('because the account is refused, are forgotten until the next proof, and payments hear the refusal', async () => {
    const { prove, take, world, asked } = start()
    await prove()
    world.reservation = refused
    await take()
    const before = asked.length

    expect(await take()).toEqual(refused)
    expect(await take()).toEqual(refused)

    expect(asked).toHaveLength(before + 2)
    world.reservation = undefined
    await prove()
    expect(asked).toHaveLength(before + 3)
  })

  it('because PayConex was away, are forgotten until the next proof', async () => {
    const { ids, prove, take, world, asked } = start()
    await prove()

    ids.forgetAll()

    world.reservation = away
    expect(await take()).toEqual(away)
    world.reservation = undefined
    await take()
    expect(asked).toHaveLength(3)
    await prove()
    expect(asked).toHaveLength(4)
  })
})

describe('an account is not trusted with ids ahead any more', () => {
  it.each<[string, Submitted]>([
    ['when PayConex contradicts itself', { kind: 'contradiction', reason: 'another id' }],
    ['when an id is refused', { kind: 'declined', code: '20005', message: 'Invalid transaction_id' }],
  ])('%s', async (_when, answer) => {
    const { ids, prove, submit, take, asked, lines } = start()
    await prove()

    await submit(answer)

    await prove()
    ids.forgetAll()
    await prove()
    await take()
    expect(asked).toHaveLength(2)
    expect(lines).toEqual([['warn', { event: 'payconex.ids_distrusted', reason: expect.any(String) }, NO_MORE]])
  })

  it('when the fence has seen the id with another payment', async () => {
    const { ids, prove, take, asked } = start()
    await prove()

    ids.distrust(account, 'an id was given twice')

    await take()
    await prove()
    expect(asked).toHaveLength(2)
  })

  it('but is when a repeat is refused, or a card is declined', async () => {
    const { prove, submit, asked, take } = start()
    await prove()

    await submit({ kind: 'declined', code: '1', message: 'TRANSACTION ID ALREADY USED' }, { isRepeat: true })
    await submit({ kind: 'declined', code: '30002', message: 'DECLINED' })

    expect(await take()).toEqual({ kind: 'reserved', transactionId: idOf(1) })
    expect(asked).toHaveLength(2)
  })
})

describe('what is kept in memory', () => {
  it('is bounded: an account that was pushed out proves itself again', async () => {
    const { prove, take, asked } = start()
    await prove()
    for (let n = 0; n < 1000; n += 1) await prove(credentialsOf(String(n)))
    const before = asked.length

    await take()

    expect(asked.slice(before)).toEqual([account.accountId])
    await prove()
    expect(asked).toHaveLength(before + 2)
  })
})
