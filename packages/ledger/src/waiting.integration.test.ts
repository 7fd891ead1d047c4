import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { PaymentRecord, State } from './record.ts'
import { openReplyChannel } from './reply-channel.ts'
import { testTimes } from './testing.ts'
import { APPROVAL, openBench, RESERVED, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const subscriber = new Redis(inject('ledgerRedisUrl'))

afterAll(() => {
  bench.close()
  subscriber.disconnect()
})

describe('a try that is held no longer', () => {
  it('is not waited for any more, while others are', async () => {
    const payment = bench.payment()
    await payment.admit()
    await payment.admit({ seat: 'g2:1' })

    expect(await payment.leave('g1:1')).toMatchObject({ verdict: 'left', record: { state: 'accepted' } })

    expect(await payment.waiting()).toEqual(['g2:1'])
    expect(await payment.record()).not.toHaveProperty('left')
  })

  it('is the last one: the ledger remembers since when nobody waits', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(500)

    await payment.leave()

    expect(await payment.record()).toMatchObject({ left: bench.clock.ms })
  })

  it('may say so twice, which is no later than once', async () => {
    const payment = bench.payment()
    await payment.admit()
    await payment.leave()
    const left = bench.clock.ms
    bench.pass(500)

    expect(await payment.leave()).toMatchObject({ verdict: 'left', record: { left } })
  })

  it('is told nothing about others whose names begin alike', async () => {
    const payment = bench.payment()
    await payment.admit({ seat: 'g1:1' })
    await payment.admit({ seat: 'g1:11' })
    await payment.admit({ seat: 'g11:1' })

    await payment.leave('g1:1')

    expect(await payment.waiting()).toEqual(['g1:11', 'g11:1'])
  })

  it('changes nothing where it never waited', async () => {
    const payment = bench.payment()
    await payment.admit()

    await payment.leave('g9:9')

    expect(await payment.waiting()).toEqual(['g1:1'])
    expect(await payment.record()).not.toHaveProperty('left')
  })

  it('has nothing to leave where there is no payment, and makes none', async () => {
    const payment = bench.payment()

    expect(await payment.leave()).toBeUndefined()

    expect(await payment.record()).toBeUndefined()
  })

  it('learns with that how the payment stands: its last look', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish(APPROVAL)

    expect(await payment.leave()).toMatchObject({ record: { state: 'approved', id: RESERVED } })
  })

  it('asks again, for the answer was lost, and is shown an approval that came meanwhile: it has heard of it', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish(APPROVAL)
    expect(await payment.record()).not.toHaveProperty('heard')

    expect(await payment.leave()).toMatchObject({ record: { state: 'approved', heard: true } })

    bench.pass(testTimes.listeningMs)
    expect((await payment.reverse())?.verdict).toBe('refused')
  })

  it.each<State>(['accepted', 'sending', 'unconfirmed', 'declined', 'not_sent', 'review', 'reversing', 'reversed'])(
    'has heard of no approval where it is shown %s',
    async (state) => {
      const payment = bench.payment()
      await payment.reach(state)

      await payment.leave()

      expect(await payment.record()).not.toHaveProperty('heard')
    },
  )
})

describe('a try that joins after all others left', () => {
  it('is waited for again', async () => {
    const payment = bench.payment()
    await payment.admit()
    await payment.leave()

    const { record } = await payment.admit({ seat: 'g2:1' })

    expect(record).not.toHaveProperty('left')
    expect(await payment.raw()).toMatchObject({ waiting: 'g2:1' })
    expect(await payment.record()).not.toHaveProperty('left')
  })

  it('is counted once, however often it asks to be admitted', async () => {
    const payment = bench.payment()
    await payment.admit()

    await payment.admit()
    await payment.admit()

    expect(await payment.waiting()).toEqual(['g1:1'])
  })
})

describe('an approval', () => {
  it('was heard where a try waited when it was written down', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    await payment.finish(APPROVAL)

    expect(await payment.record()).toMatchObject({ heard: true })
  })

  it('was not heard where all tries had left', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()

    await payment.finish(APPROVAL)

    expect(await payment.record()).not.toHaveProperty('heard')
  })

  it('was heard by whoever asks again later', async () => {
    const payment = bench.payment()
    await payment.reach('approved')

    expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { heard: true } })

    expect(await payment.record()).toMatchObject({ heard: true })
  })

  it('was not heard by another request under the same id', async () => {
    const payment = bench.payment()
    await payment.reach('approved')

    await payment.admit({ fingerprint: 'two' })

    expect(await payment.record()).not.toHaveProperty('heard')
  })

  it('was heard by a try that was told `unconfirmed` before and has not left', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish(UNCONFIRMED)

    await payment.finish(APPROVAL)

    expect(await payment.record()).toMatchObject({ heard: true })
  })

  it('was heard by a try of an earlier attempt that ran out unnoticed', async () => {
    const payment = bench.payment()
    const second = { key: payment.key, attempt: 2 }
    await payment.reach('accepted')
    bench.pass(testTimes.sendByMs)
    await payment.admit({ seat: 'g2:1' })
    await payment.leave('g2:1')
    await bench.ledger.fence(second, { owner: 'w1.a', reserved: RESERVED })

    await bench.ledger.finish(second, 'w1.a', APPROVAL)

    expect(await payment.record()).toMatchObject({ heard: true })
  })

  it('that nobody heard is looked at again when nobody tries any more', async () => {
    const payment = bench.payment()
    await payment.reach('approved')

    expect(await payment.dueAt()).toBe((await payment.record()).first + 60_000)
    expect(await payment.raw()).toMatchObject({ credentials: 'sealed' })
    expect(await payment.ttl()).toBe(-1)
  })

  it.each([
    { what: 'that still nobody heard is on the list of late approvals', isHeard: false },
    { what: 'that somebody heard meanwhile is not', isHeard: true },
  ])('$what, once it is kept', async ({ isHeard }) => {
    const payment = bench.payment()
    await payment.reach('approved')
    if (isHeard) await payment.admit()

    await payment.keep()

    const isListed = (await bench.redis.zscore(bench.key('late'), payment.key)) !== null
    expect(isListed).toBe(!isHeard)
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBeGreaterThan(0)
  })

  it('of a token that nobody heard is closed like any other: there is no money to give back', async () => {
    const payment = bench.payment({ method: 'tokenize' })

    await payment.reach('approved')

    expect(await payment.dueAt()).toBeNull()
  })
})

describe('what comes of a payment', () => {
  /** A gateway that listens. */
  async function listening() {
    const gateway = randomUUID()
    const told: PaymentRecord[] = []
    await openReplyChannel({ subscriber, gateway, onReply: (record) => told.push(record), onOpen: () => undefined })
    return { gateway, told }
  }

  it('wakes every gateway that waits, once, with the record, however many of its tries wait', async () => {
    const { gateway, told } = await listening()
    const payment = bench.payment()
    await payment.admit({ seat: 'another:1' })
    await payment.admit({ seat: `${gateway}:1` })
    await payment.admit({ seat: `${gateway}:2` })

    await payment.fence()
    await payment.finish(APPROVAL)

    await expect.poll(() => told).toMatchObject([{ key: payment.key, state: 'approved', id: RESERVED }])
  })

  it('wakes those that wait for a payment that is withdrawn', async () => {
    const { gateway, told } = await listening()
    const payment = bench.payment({ seat: `${gateway}:1` })
    await payment.admit()

    await payment.withdraw({ state: 'declined', code: '20001', message: 'Invalid account_id' })

    await expect.poll(() => told).toMatchObject([{ state: 'declined', code: '20001' }])
  })

  it('tells of a decline whether anything had been sent: then it is the card that was refused, and not the account', async () => {
    const { gateway, told } = await listening()
    const refused = { state: 'declined', code: '30002', message: 'DECLINED' } as const
    const [sent, unsent] = [bench.payment({ seat: `${gateway}:1` }), bench.payment({ seat: `${gateway}:2` })]
    for (const payment of [sent, unsent]) await payment.admit()

    await sent.fence()
    await sent.finish(refused)
    await unsent.withdraw(refused)

    const [card, account] = [{ sent: expect.any(Number) }, expect.not.objectContaining({ sent: expect.anything() })]
    await expect.poll(() => told).toEqual([expect.objectContaining(card), account])
    expect((await sent.admit())?.record).toMatchObject(card)
    expect((await unsent.admit())?.record).toEqual(account)
  })

  it('wakes no gateway whose tries have left', async () => {
    const [gone, there] = [await listening(), await listening()]
    const payment = bench.payment({ seat: `${gone.gateway}:1` })
    await payment.admit()
    await payment.admit({ seat: `${there.gateway}:1` })
    await payment.leave(`${gone.gateway}:1`)

    await payment.fence()
    await payment.finish(APPROVAL)

    await expect.poll(() => there.told).toHaveLength(1)
    expect(gone.told).toEqual([])
  })
})
