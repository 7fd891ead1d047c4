import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Entry } from './ledger.ts'
import type { State } from './record.ts'
import { FIELDS, testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, type Payment, RESERVED, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const OTHER = { fingerprint: 'two' }
const THIRD = { fingerprint: 'three' }

afterAll(bench.close)

describe('a try of a new payment', () => {
  it('records it as accepted, with its deadlines counted from now', async () => {
    const payment = bench.payment()

    const { verdict, record } = await payment.admit()

    const { ms } = bench.clock
    expect(verdict).toBe('new')
    expect(record).toMatchObject({
      key: payment.key,
      state: 'accepted',
      attempt: 1,
      first: ms,
      now: ms,
      amount: '10.00',
    })
    expect(await payment.waiting()).toEqual(['g1:1'])
    expect(await payment.dueAt()).toBe(ms + testTimes.sendByMs)
  })
})

describe('the same request again', () => {
  it.each<State>(['accepted', 'sending', 'reversing'])('joins a payment in %s, and waits for it', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)

    expect(await payment.admit({ seat: 'g2:7' })).toMatchObject({ verdict: 'join', record: { state, attempt: 1 } })

    expect(await payment.waiting()).toContain('g2:7')
  })

  it.each<State>(['approved', 'declined', 'unconfirmed', 'reversed', 'review'])(
    'hears of a payment in %s how it stands, and does not wait',
    async (state) => {
      const payment = bench.payment()
      await payment.reach(state)

      expect(await payment.admit({ seat: 'g2:7' })).toMatchObject({ verdict: 'replay', record: { state, attempt: 1 } })

      expect(await payment.waiting()).not.toContain('g2:7')
    },
  )

  it('hears the outcome that was found after the payment was unconfirmed', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')

    await payment.finish(APPROVAL)

    expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { state: 'approved', id: RESERVED } })
  })

  it('begins a new attempt after one that was not sent, for which nobody waited any more', async () => {
    const payment = bench.payment()
    await payment.reach('not_sent')
    bench.pass(1000)

    expect(await payment.admit()).toMatchObject({ verdict: 'new', record: { attempt: 2, first: bench.clock.ms } })
  })

  it('begins a new attempt when the accepted one ran out unnoticed, for which its tries wait, too', async () => {
    const payment = bench.payment()
    await payment.reach('accepted')
    bench.pass(testTimes.sendByMs)

    const again = await payment.admit({ seat: 'g2:7' })

    expect(again).toMatchObject({ verdict: 'new', record: { attempt: 2, first: bench.clock.ms } })
    expect(await payment.waiting()).toEqual(['g1:1', 'g2:7'])
  })

  it('begins a new attempt that remembers nothing of the earlier one', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ state: 'not_sent', code: 'c', message: 'm' })

    await payment.admit()

    const { state, attempt, ...rest } = await payment.record()
    expect({ state, attempt }).toEqual({ state: 'accepted', attempt: 2 })
    for (const field of ['owner', 'reserved', 'sent', 'code', 'message', 'left', 'heard']) {
      expect(rest).not.toHaveProperty(field)
    }
    expect(await payment.ttl()).toBe(-1)
  })
})

describe('another request under the same id', () => {
  it.each<State>(['accepted', 'sending', 'approved', 'unconfirmed', 'reversing', 'reversed', 'review'])(
    'is refused while the first is %s, waits for nothing and leaves no trace',
    async (state) => {
      const payment = bench.payment()
      await payment.reach(state)
      const before = await payment.raw()

      expect(await payment.admit({ ...OTHER, seat: 'g2:7' })).toMatchObject({ verdict: 'reused', record: { state } })

      expect(await payment.raw()).toEqual(before)
    },
  )

  it('is refused also when the accepted one has run out: its job may not have noticed', async () => {
    const payment = bench.payment()
    await payment.reach('accepted')
    bench.pass(testTimes.sendByMs)

    expect((await payment.admit(OTHER)).verdict).toBe('reused')
  })

  it.each(['not_sent', 'declined'] as const)(
    'begins a new attempt after %s, for which only its own try waits',
    async (state) => {
      const payment = bench.payment()
      await payment.reach('accepted')
      await payment.withdraw({ state })

      const other = await payment.admit({ ...OTHER, seat: 'g2:7' })

      expect(other).toMatchObject({ verdict: 'new', record: { attempt: 2, fingerprint: 'two' } })
      expect(await payment.waiting()).toEqual(['g2:7'])
    },
  )
})

describe('a request whose caller may have been told that nothing was charged', () => {
  /** The look-ups of an unconfirmed payment that prove that PayConex never had it. */
  async function isProvenAbsent(payment: Payment) {
    await payment.finish(UNCONFIRMED)
    bench.pass(testTimes.absenceMs)
    await payment.finish(absentNow())
    bench.pass(testTimes.repeatAfterMs)
    await payment.finish(absentNow())
  }
  const absentNow = () => ({ ...UNCONFIRMED, remark: 'absent', lookedAt: bench.clock.ms }) as const

  /** Each ends the first attempt as not sent. */
  const endings: [string, State, (payment: Payment) => Promise<unknown>][] = [
    ['it was withdrawn', 'accepted', (payment) => payment.withdraw()],
    [
      'it ran out',
      'accepted',
      (payment) => {
        bench.pass(testTimes.sendByMs)
        return payment.withdraw({ state: 'not_sent' }, { whenExpired: true })
      },
    ],
    ['its worker could not send it', 'sending', (payment) => payment.finish({ state: 'not_sent' })],
    ['PayConex was proven not to have it', 'sending', isProvenAbsent],
  ]

  it.each(endings)('(%s while a try waited) hears the same, and never begins anew', async (_, state, end) => {
    const payment = await given(state)
    await end(payment)
    const before = await payment.raw()

    for (const seat of ['g1:1', 'g2:7']) {
      expect(await payment.admit({ seat })).toMatchObject({
        verdict: 'replay',
        record: { state: 'not_sent', attempt: 1 },
      })
    }

    expect(await payment.raw()).toEqual(before)
  })

  it.each(endings)('(%s after all tries had left) was told nothing: it begins anew', async (_, state, end) => {
    const payment = await given(state)
    await payment.leave()
    await end(payment)

    expect(await payment.admit({ seat: 'g2:7' })).toMatchObject({
      verdict: 'new',
      record: { state: 'accepted', attempt: 2 },
    })
  })

  it('was told only that it is unconfirmed, by asking again: it begins anew once PayConex is proven not to have it', async () => {
    const payment = await given('unconfirmed')
    await payment.leave()
    expect((await payment.admit({ seat: 'g2:7' })).verdict).toBe('replay')
    await isProvenAbsent(payment)

    expect(await payment.admit({ seat: 'g2:8' })).toMatchObject({ verdict: 'new', record: { attempt: 2 } })
  })

  it('is noted once, however often it hears of its decline', async () => {
    const payment = await given('declined')

    await payment.admit()
    await payment.admit()

    expect(await payment.raw()).toMatchObject({ [FIELDS.told]: '=' })
  })

  it('was told also where only one of its tries had left', async () => {
    const payment = await given('accepted')
    await payment.admit({ seat: 'g2:7' })
    await payment.leave()
    await payment.withdraw()

    expect((await payment.admit()).verdict).toBe('replay')
  })

  it('was told also where its try leaves afterwards', async () => {
    const payment = await given('accepted')
    await payment.withdraw()
    await payment.leave()

    expect((await payment.admit()).verdict).toBe('replay')
  })

  it.each(['not_sent', 'declined'] as const)(
    'was told for good: another one that ends %s does not let it begin',
    async (state) => {
      const payment = await given('accepted')
      await payment.withdraw()
      await otherEnds(payment, OTHER, 2, { state })

      expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { state, attempt: 2 } })
    },
  )

  it.each(['not_sent', 'declined'] as const)(
    'was declined, and then another card was %s: it hears that, and does not begin',
    async (state) => {
      const payment = await given('declined')
      await otherEnds(payment, OTHER, 2, { state })

      expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { state, attempt: 2 } })
    },
  )

  it('was declined, and then another card was told so, too: neither begins anew', async () => {
    const payment = await given('declined')
    await payment.admit({ ...OTHER, seat: 'g2:7' })
    await bench.ledger.withdraw({ key: payment.key, attempt: 2 }, { state: 'declined', code: '30002' })

    for (const request of [{}, OTHER]) expect((await payment.admit(request)).verdict).toBe('replay')
  })

  it('heard of its decline only when it asked again, and was told with that', async () => {
    const payment = await declinedUnheard()
    expect((await payment.admit()).verdict).toBe('replay')
    await otherEnds(payment, OTHER, 2)

    expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { attempt: 2 } })
  })

  it('was told nothing where nobody waited for its decline or asked again', async () => {
    const payment = await declinedUnheard()
    await otherEnds(payment, OTHER, 2)

    expect(await payment.admit()).toMatchObject({ verdict: 'new', record: { attempt: 3 } })
  })

  it('is remembered beside others that were told, through every later attempt', async () => {
    const payment = await given('accepted')
    await payment.withdraw()
    await payment.admit({ ...OTHER, seat: 'g2:7' })
    await bench.ledger.withdraw({ key: payment.key, attempt: 2 }, { state: 'not_sent' })
    await otherEnds(payment, THIRD, 3)

    for (const request of [{}, OTHER]) {
      expect(await payment.admit(request)).toMatchObject({
        verdict: 'replay',
        record: { state: 'not_sent', attempt: 3, fingerprint: 'three' },
      })
    }
    expect(await payment.admit(THIRD)).toMatchObject({ verdict: 'new', record: { attempt: 4 } })
  })

  it.each<State>(['accepted', 'sending', 'approved', 'unconfirmed'])(
    'is another request than the one that is %s by now: the id is reused',
    async (state) => {
      const payment = await given('accepted')
      await payment.withdraw()
      await payment.admit({ ...OTHER, seat: 'g2:7' })
      const second = { key: payment.key, attempt: 2 }
      if (state !== 'accepted') await bench.ledger.fence(second, { owner: OWNER, reserved: RESERVED })
      if (state === 'approved') await bench.ledger.finish(second, OWNER, APPROVAL)
      if (state === 'unconfirmed') await bench.ledger.finish(second, OWNER, UNCONFIRMED)

      expect(await payment.admit()).toMatchObject({ verdict: 'reused', record: { state, fingerprint: 'two' } })
    },
  )

  /** A payment whose absence would be believed. */
  async function given(state: State) {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach(state)
    return payment
  }

  async function declinedUnheard() {
    const payment = await given('sending')
    await payment.leave()
    await payment.finish({ state: 'declined', code: '30002' })
    return payment
  }

  /** Another request under the same id ends, and nobody waits for it. */
  async function otherEnds(
    payment: Payment,
    request: typeof OTHER,
    attempt: number,
    entry: Entry = { state: 'not_sent' },
  ) {
    expect(await payment.admit({ ...request, seat: 'g3:1' })).toMatchObject({ verdict: 'new', record: { attempt } })
    await payment.leave('g3:1')
    await bench.ledger.withdraw({ key: payment.key, attempt }, entry)
  }
})

describe('a clock that went back', () => {
  it('makes an accepted payment count as run out: the same request begins a new attempt', async () => {
    const payment = bench.payment()
    await payment.reach('accepted')
    bench.pass(-1)

    expect(await payment.admit()).toMatchObject({ verdict: 'new', record: { attempt: 2, first: bench.clock.ms } })
  })
})
