import { afterAll, describe, expect, inject, it } from 'vitest'
import type { State } from './record.ts'
import { testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, RESERVED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const DECLINE = { state: 'declined', code: '30002' } as const

afterAll(bench.close)

describe('a payment that is being sent or reversed', () => {
  it.each<State>(['sending', 'reversing'])('(%s) stays its owner’s while his worker lives', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)

    expect(await payment.takeOver('w2.b')).toMatchObject({ verdict: 'refused', record: { owner: OWNER } })
  })

  it.each<State>(['sending', 'reversing'])('(%s) is taken over from a silent worker, as it stands', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)
    await payment.silence()

    expect(await payment.takeOver('w2.b')).toMatchObject({
      verdict: 'taken',
      record: { state, owner: 'w2.b', reserved: RESERVED },
      sealedCredentials: 'sealed',
    })
  })

  it('counts as a silent worker’s once the lease has run out by the ledger’s clock', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    bench.pass(testTimes.leaseMs - 1)
    expect((await payment.takeOver('w2.b'))?.verdict).toBe('refused')
    bench.pass(1)

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('taken')
  })

  it('counts as a living worker’s as long as he renews his lease', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    bench.pass(testTimes.leaseMs - 1)
    await bench.ledger.renewLease('w1')
    bench.pass(testTimes.leaseMs - 1)

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('refused')
  })

  it('counts as a silent worker’s when the clock went back: his lease was given by a clock that is gone', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    bench.pass(-1)

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('taken')
    bench.pass(1)
  })

  it('brings no credentials where none are left', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.silence()
    await bench.redis.hdel(bench.key(`payment:${payment.key}`), 'credentials')

    expect(await payment.takeOver('w2.b')).toMatchObject({ verdict: 'taken', sealedCredentials: '' })
  })

  it('is free at once when its worker gave up its lease', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await bench.ledger.dropLease('w1')

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('taken')
  })

  it('is free while its worker lives when that worker has forgotten it', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect((await payment.takeOver('w1.z', { isForgotten: true }))?.verdict).toBe('taken')
  })

  it('is not free when it was forgotten by somebody who does not own it any more', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    const seen = await payment.record()
    await payment.silence()
    await payment.takeOver('w2.b')

    expect((await bench.ledger.takeOver(seen, 'w1.z', { isForgotten: true }))?.verdict).toBe('refused')
  })

  it('goes to one of two workers that saw it ownerless', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.silence()
    const seen = await payment.record()

    const verdicts = await Promise.all(['w2.b', 'w3.c'].map((owner) => bench.ledger.takeOver(seen, owner)))

    expect(verdicts.map((reply) => reply?.verdict)).toEqual(['taken', 'refused'])
  })

  it('may be asked for again by its new owner, whose first answer may have been lost', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.silence()
    const seen = await payment.record()
    await bench.ledger.takeOver(seen, 'w2.b')

    expect(await bench.ledger.takeOver(seen, 'w2.b')).toMatchObject({ verdict: 'taken', record: { owner: 'w2.b' } })
  })
})

describe('a payment that is at rest', () => {
  it.each<State>(['unconfirmed', 'approved'])(
    '(%s) is taken by whoever looks after it, whether or not its last owner lives',
    async (state) => {
      const payment = bench.payment()
      await payment.reach(state)

      const taken = await payment.takeOver('w2.b')

      expect(taken).toMatchObject({ verdict: 'taken', record: { state, owner: 'w2.b' }, sealedCredentials: 'sealed' })
      expect(await payment.dueAt()).toBe(bench.clock.ms + testTimes.leaseMs)
    },
  )

  it('goes to one of two workers that saw the same owner', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')
    const seen = await payment.record()

    const verdicts = await Promise.all(['w2.b', 'w3.c'].map((owner) => bench.ledger.takeOver(seen, owner)))

    expect(verdicts.map((reply) => reply?.verdict)).toEqual(['taken', 'refused'])
  })

  it('is not taken once it was kept: an approval that was closed', async () => {
    const payment = bench.payment()
    await payment.reach('approved')
    await payment.keep()

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('refused')
  })
})

describe('an owner from whom a payment was taken', () => {
  it.each<State>(['sending', 'unconfirmed', 'reversing'])('(%s) can do nothing with it any more', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)
    await payment.silence()
    await payment.takeOver('w2.b')
    const before = await payment.raw()

    const late = [
      await payment.fence(),
      await payment.repeat(),
      await payment.finish(DECLINE),
      await payment.finish(APPROVAL),
      await payment.release(),
      await payment.reverse(),
    ]

    expect(late.map((reply) => reply?.verdict)).toEqual(Array(late.length).fill('refused'))
    expect(await payment.raw()).toEqual(before)
  })
})

describe('a payment that its owner leaves to others', () => {
  it.each<State>(['sending', 'reversing'])('(%s) is nobody’s, and due at once', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)

    expect((await payment.release())?.verdict).toBe('released')

    expect(await payment.record()).not.toHaveProperty('owner')
    expect(await payment.dueAt()).toBe(bench.clock.ms)
    expect((await payment.takeOver('w2.b'))?.verdict).toBe('taken')
  })

  it('is left by nobody else', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect((await payment.release('w2.b'))?.verdict).toBe('refused')

    expect(await payment.record()).toMatchObject({ owner: OWNER })
  })
})
