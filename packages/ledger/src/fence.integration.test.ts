import { afterAll, describe, expect, inject, it } from 'vitest'
import { testTimes } from './testing.ts'
import { OWNER, openBench, type Payment, RESERVED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

afterAll(bench.close)

describe('the fence', () => {
  it('makes an accepted payment its owner’s, who may send it from then on', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(100)

    const fenced = await payment.fence()

    const { ms } = bench.clock
    expect(fenced).toMatchObject({
      verdict: 'fenced',
      record: { state: 'sending', owner: OWNER, reserved: RESERVED, sent: ms },
    })
    expect(await payment.dueAt()).toBe(ms + testTimes.leaseMs)
  })

  it('shows with that that the owner’s worker lives', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('refused')
  })

  it('is counted: each gives the ledger a higher number', async () => {
    const payment = bench.payment()
    await payment.admit()

    const one = await payment.fence()
    const two = await payment.fence()

    expect((two?.fences ?? 0) - (one?.fences ?? 0)).toBe(1)
  })

  it('and a withdrawal: exactly one of the two wins', async () => {
    const [fenced, withdrawn] = [bench.payment(), bench.payment()]
    await fenced.admit()
    await withdrawn.admit()

    await fenced.fence()
    await withdrawn.withdraw()

    expect((await fenced.withdraw())?.verdict).toBe('refused')
    expect((await withdrawn.fence())?.verdict).toBe('refused')
  })

  it('may be passed again by its owner, whose answer was lost or whose send was delayed: sent later', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    bench.pass(900)

    expect(await payment.fence()).toMatchObject({ verdict: 'fenced', record: { sent: bench.clock.ms } })
  })

  it.each([
    ['another owner', 'w2.b', RESERVED],
    ['its owner with another reserved id', OWNER, '000000000002'],
  ])('is not passed again by %s', async (_, owner, reserved) => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect((await payment.fence(owner, reserved))?.verdict).toBe('refused')
  })

  it('may be passed without a reserved id, and again', async () => {
    const payment = bench.payment()
    await payment.admit()

    expect((await payment.fence(OWNER, ''))?.verdict).toBe('fenced')
    expect((await payment.fence(OWNER, ''))?.verdict).toBe('fenced')
    expect(await payment.record()).not.toHaveProperty('reserved')
  })

  it.each([
    ['at SEND_BY', testTimes.sendByMs],
    ['when the clock went back, for nobody knows how late it is', -1],
  ])('is closed %s, to a first and to a second passing', async (_, ms) => {
    const [accepted, sending] = [bench.payment(), bench.payment()]
    await accepted.admit()
    await sending.reach('sending')
    bench.pass(ms)

    expect(await accepted.fence()).toMatchObject({ verdict: 'refused', record: { state: 'accepted' } })
    expect(await sending.fence()).toMatchObject({ verdict: 'refused', record: { state: 'sending' } })
  })

  it('is closed when nobody has waited for so long that nobody comes back, and the payment stays as it is', async () => {
    const payment = bench.payment()
    await payment.admit()
    await payment.leave()
    const before = await payment.raw()
    bench.pass(testTimes.abandonedMs)

    expect(await payment.fence()).toMatchObject({ verdict: 'abandoned', record: { state: 'accepted' } })

    expect(await payment.raw()).toEqual(before)
  })

  it.each<[string, (payment: Payment) => Promise<unknown>]>([
    ['the next try may still be on its way', async () => bench.pass(testTimes.abandonedMs - 1)],
    [
      'the next try has come',
      async (payment) => {
        bench.pass(testTimes.abandonedMs)
        await payment.admit()
      },
    ],
    [
      'it was passed before',
      async (payment) => {
        await payment.fence()
        bench.pass(testTimes.abandonedMs)
      },
    ],
  ])('is open as long as %s', async (_, given) => {
    const payment = bench.payment()
    await payment.admit()
    await payment.leave()
    await given(payment)

    expect((await payment.fence())?.verdict).toBe('fenced')
  })

  it('is closed to the job of an earlier attempt', async () => {
    const payment = bench.payment()
    await payment.reach('not_sent')
    await payment.admit()

    expect(await payment.fence()).toMatchObject({ verdict: 'refused', record: { attempt: 2, state: 'accepted' } })
  })

  it('is closed where there is no payment, and makes none', async () => {
    const payment = bench.payment()

    expect(await payment.fence()).toBeUndefined()

    expect(await payment.record()).toBeUndefined()
  })
})

describe('a withdrawal', () => {
  it('closes the payment: the credentials are gone, and it will be forgotten', async () => {
    const payment = bench.payment()
    await payment.reach('not_sent')

    expect(await payment.raw()).not.toHaveProperty('credentials')
    expect(await payment.ttl()).toBeGreaterThan(0)
    expect(await payment.dueAt()).toBeNull()
  })

  it('keeps what the caller is told', async () => {
    const payment = bench.payment()
    await payment.admit()
    await payment.withdraw({ state: 'declined', code: '20001', message: 'Invalid account_id' })

    expect(await payment.record()).toMatchObject({ code: '20001', message: 'Invalid account_id' })
  })

  it('of a payment that has run out waits for that', async () => {
    const payment = bench.payment()
    await payment.admit()
    const expired = { whenExpired: true }
    bench.pass(testTimes.sendByMs - 1)

    expect((await payment.withdraw({ state: 'not_sent' }, expired))?.verdict).toBe('refused')
    bench.pass(1)
    expect((await payment.withdraw({ state: 'not_sent' }, expired))?.verdict).toBe('withdrawn')
  })

  it('of a payment that has run out does not wait when the clock went back', async () => {
    const payment = bench.payment()
    await payment.admit()
    bench.pass(-1)

    expect((await payment.withdraw({ state: 'not_sent' }, { whenExpired: true }))?.verdict).toBe('withdrawn')
  })

  it('of an earlier attempt is refused', async () => {
    const payment = bench.payment()
    await payment.reach('not_sent')
    await payment.admit()

    expect(await payment.withdraw()).toMatchObject({ verdict: 'refused', record: { attempt: 2, state: 'accepted' } })
  })
})
