import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Entry } from './ledger.ts'
import { FIELDS, testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, type Payment, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const { repeatAfterMs: gapMs, absenceMs } = testTimes

afterAll(bench.close)

const DECLINE = { state: 'declined', code: '30002', message: 'DECLINED' } as const
const SCHEDULED_MS = 3_600_000

/** What is said of a look-up that did not find it, begun just now unless the test says when. */
const absent = (lookedAt = bench.clock.ms): Entry => ({
  ...UNCONFIRMED,
  dueMs: SCHEDULED_MS,
  asked: 1,
  remark: 'absent',
  lookedAt,
})

describe('an outcome', () => {
  it('is written down by the owner, once', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect((await payment.finish(DECLINE, 'w2.b'))?.verdict).toBe('refused')
    expect((await payment.finish(APPROVAL))?.verdict).toBe('finished')
    expect((await payment.finish(APPROVAL))?.verdict).toBe('finished')
    expect(await payment.finish(DECLINE)).toMatchObject({ verdict: 'refused', record: { state: 'approved' } })
  })

  it('that is a decline keeps PayConex’ code and message, for whoever asks again', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish(DECLINE)

    expect(await payment.admit()).toMatchObject({ record: { code: DECLINE.code, message: DECLINE.message } })
  })

  it('that does not say how often PayConex was asked leaves that as it was', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish({ ...UNCONFIRMED, asked: 3 })
    await payment.finish(UNCONFIRMED)

    expect(await payment.record()).toMatchObject({ asked: 3 })
  })

  it('of an earlier attempt is refused', async () => {
    const payment = bench.payment()
    await payment.reach('not_sent')
    expect((await payment.admit()).verdict).toBe('new')
    await bench.ledger.fence({ key: payment.key, attempt: 2 }, { owner: OWNER })

    expect((await payment.finish(APPROVAL))?.verdict).toBe('refused')
  })

  it('that is final drops the credentials and the sweeper’s interest, and will be forgotten', async () => {
    const payment = bench.payment()
    await payment.reach('declined')

    expect(await payment.raw()).not.toHaveProperty('credentials')
    expect(await payment.ttl()).toBeGreaterThan(0)
    expect(await payment.dueAt()).toBeNull()
  })

  it.each(['unconfirmed', 'reversing'] as const)('that is open (%s) keeps all of that', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)
    await payment.finish({ state, dueMs: 2000 })

    expect(await payment.raw()).toMatchObject({ credentials: 'sealed' })
    expect(await payment.ttl()).toBe(-1)
    expect(await payment.dueAt()).toBe(bench.clock.ms + 2000)
  })

  it('that is open must say when to look again, or nobody ever would', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    await expect(payment.finish({ state: 'unconfirmed' })).rejects.toThrow('nobody would look at it again')

    expect(await payment.state()).toBe('sending')
  })

  it('that a person must look at is off the sweeper’s list and keeps no credentials, but is never forgotten', async () => {
    const payment = bench.payment()
    await payment.reach('review')

    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBe(-1)
    expect(await payment.raw()).not.toHaveProperty('credentials')
  })
})

describe('that nothing was sent', () => {
  it('is believed of the one owner it ever had', async () => {
    const payment = bench.payment()
    await payment.reach('sending')

    expect(await payment.finish({ state: 'not_sent' })).toMatchObject({
      verdict: 'finished',
      record: { state: 'not_sent' },
    })
  })

  it('is believed also when the fence was passed twice: neither send left', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.fence()

    expect((await payment.finish({ state: 'not_sent' }))?.verdict).toBe('finished')
  })

  it('is not believed of a later owner, for the first may have sent it', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.silence()
    await payment.takeOver('w2.b')

    await expect(payment.finish({ state: 'not_sent' }, 'w2.b')).rejects.toThrow('it may have been sent')
    expect(await payment.state()).toBe('sending')
  })

  it('is not believed of an owner who took back what he had left to others', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.release()
    await payment.takeOver(OWNER)

    await expect(payment.finish({ state: 'not_sent' })).rejects.toThrow('it may have been sent')
  })

  it('is not believed of an owner who has sent it once more', async () => {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach('sending')
    bench.pass(gapMs)
    expect((await payment.repeat())?.verdict).toBe('permitted')

    await expect(payment.finish({ state: 'not_sent' })).rejects.toThrow('it may have been sent')
  })

  it('is not believed without proof once its answer was given up', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')

    await expect(payment.finish({ state: 'not_sent' })).rejects.toThrow('it may have been sent')
  })
})

describe('that PayConex does not have it', () => {
  /** Unconfirmed, of an account for which PayConex is seen to honour ids, and PayConex has had all the time it needs. */
  async function longSinceSent() {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach('unconfirmed')
    bench.pass(absenceMs)
    return payment
  }

  /** And was not found once since then, a gap ago. */
  async function notFoundOnce() {
    const payment = await longSinceSent()
    await payment.finish(absent())
    bench.pass(gapMs)
    return payment
  }

  it('is worth nothing before it had all the time it needs', async () => {
    const payment = await longSinceSent()
    bench.pass(-1)

    await payment.finish(absent())

    expect(await payment.record()).not.toHaveProperty('absent')
  })

  it('is worth nothing of a payment that is being sent: its owner may send it once more', async () => {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach('sending')
    bench.pass(absenceMs)

    await payment.finish(absent())

    expect(await payment.state()).toBe('unconfirmed')
    expect(await payment.record()).not.toHaveProperty('absent')
    expect(await payment.dueAt()).toBe(bench.clock.ms + SCHEDULED_MS)
  })

  it('is noted the first time after that, and is looked at again after the gap', async () => {
    const payment = await longSinceSent()

    await payment.finish(absent())

    expect(await payment.record()).toMatchObject({ state: 'unconfirmed', absent: bench.clock.ms, asked: 1 })
    expect(await payment.dueAt()).toBe(bench.clock.ms + gapMs)
  })

  it('is looked at again after the gap also where the schedule would look sooner: that could not prove it yet', async () => {
    const payment = await longSinceSent()

    await payment.finish({ ...absent(), dueMs: 1000 })

    expect(await payment.dueAt()).toBe(bench.clock.ms + gapMs)
  })

  it('is proven by the second time, a gap later: not sent, and over like any other', async () => {
    const payment = await notFoundOnce()
    await payment.leave()

    expect(await payment.finish(absent())).toMatchObject({ verdict: 'finished', record: { state: 'not_sent' } })

    expect(await payment.raw()).not.toHaveProperty('credentials')
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBeGreaterThan(0)
    expect((await payment.admit()).verdict).toBe('new')
  })

  it('is proven by the second time also by another owner', async () => {
    const payment = await notFoundOnce()
    await payment.takeOver('w2.b')

    expect(await payment.finish(absent(), 'w2.b')).toMatchObject({ verdict: 'finished', record: { state: 'not_sent' } })
  })

  it('is proven also at the end of the schedule, where the owner would ask a person', async () => {
    const payment = await notFoundOnce()

    await payment.finish({ state: 'review', remark: 'absent', lookedAt: bench.clock.ms })

    expect(await payment.state()).toBe('not_sent')
  })

  it('is not proven by an owner who has lost it', async () => {
    const payment = await notFoundOnce()
    await payment.takeOver('w2.b')

    expect(await payment.finish(absent())).toMatchObject({ verdict: 'refused', record: { state: 'unconfirmed' } })
  })

  it.each([
    ['by one look-up', async () => undefined],
    ['by two that are not apart', async (look: () => Promise<unknown>) => look().then(() => bench.pass(gapMs - 1))],
  ])('is not proven %s', async (_, given) => {
    const payment = await longSinceSent()
    await given(() => payment.finish(absent()))

    expect(await payment.finish(absent())).toMatchObject({ verdict: 'finished', record: { state: 'unconfirmed' } })
    await expect(payment.finish({ ...absent(), state: 'not_sent' })).rejects.toThrow('it may have been sent')
    expect(await payment.state()).toBe('unconfirmed')
  })

  it('is not proven by whoever only says so: the look-up must have said that it is absent', async () => {
    const payment = await notFoundOnce()

    await expect(payment.finish({ state: 'not_sent' })).rejects.toThrow('it may have been sent')
    await payment.finish({ ...UNCONFIRMED, lookedAt: bench.clock.ms })
    expect(await payment.state()).toBe('unconfirmed')
  })

  it('is not proven by whoever does not say when he asked', async () => {
    const payment = await notFoundOnce()

    await payment.finish({ ...UNCONFIRMED, remark: 'absent' })

    expect(await payment.state()).toBe('unconfirmed')
  })

  it('is noted once: a third look-up does not begin the counting anew', async () => {
    const payment = await longSinceSent()
    await payment.finish(absent())
    const first = bench.clock.ms
    bench.pass(1000)

    await payment.finish(absent())

    expect(await payment.record()).toMatchObject({ absent: first })
  })

  it('counts from the last send, which a repeat was', async () => {
    const payment = bench.payment()
    await bench.prove(payment.admission.account)
    await payment.reach('sending')
    bench.pass(gapMs)
    await payment.repeat()
    await payment.finish(UNCONFIRMED)
    bench.pass(absenceMs - 1)

    await payment.finish(absent())
    expect(await payment.record()).not.toHaveProperty('absent')
    bench.pass(1)
    await payment.finish(absent())

    expect(await payment.record()).toMatchObject({ absent: bench.clock.ms })
  })

  it('is looked at as soon as it can be proven, however far off the next look is on the schedule', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    const { sent = 0 } = await payment.record()
    bench.pass(1000)

    await payment.finish({ ...UNCONFIRMED, dueMs: 10 * absenceMs })

    expect(await payment.dueAt()).toBe(sent + absenceMs)
  })

  it('is not hurried any more once it could be proven, when a look-up brought no answer', async () => {
    const payment = await longSinceSent()

    await payment.finish({ ...UNCONFIRMED, dueMs: SCHEDULED_MS })

    expect(await payment.dueAt()).toBe(bench.clock.ms + SCHEDULED_MS)
  })

  it('is worth nothing when the clock went back to before it was sent', async () => {
    const payment = await longSinceSent()
    bench.pass(-absenceMs - 1)

    await payment.finish(absent())

    expect(await payment.record()).not.toHaveProperty('absent')
  })

  it('is not proven when the clock went back after it was noted', async () => {
    const payment = await notFoundOnce()
    bench.pass(-absenceMs)

    await payment.finish(absent())
    await expect(payment.finish({ ...absent(), state: 'not_sent' })).rejects.toThrow('it may have been sent')

    expect(await payment.state()).toBe('unconfirmed')
    bench.pass(absenceMs)
  })

  describe('counts from when it was asked, not from when that is written down', () => {
    it('asked too soon and written down late, after the ledger was away for long, it is worth nothing', async () => {
      const payment = await longSinceSent()
      const askedTooSoon = absent(bench.clock.ms - 1)
      bench.pass(10 * absenceMs)

      await payment.finish(askedTooSoon)

      expect(await payment.record()).toMatchObject({ state: 'unconfirmed', asked: 1 })
      expect(await payment.record()).not.toHaveProperty('absent')
    })

    it('noted is when it was asked, and the gap counts from then', async () => {
      const payment = await longSinceSent()
      const lookedAt = bench.clock.ms
      bench.pass(500)

      await payment.finish(absent(lookedAt))

      expect(await payment.record()).toMatchObject({ absent: lookedAt })
      expect(await payment.dueAt()).toBe(lookedAt + gapMs)
    })

    it('two that were asked one soon after the other prove nothing, however far apart they are written down', async () => {
      const payment = await longSinceSent()
      const [one, two] = [absent(), absent(bench.clock.ms + gapMs - 1)]
      await payment.finish(one)
      bench.pass(10 * gapMs)

      await payment.finish(two)

      expect(await payment.state()).toBe('unconfirmed')
    })

    it.each([
      ['a moment', 1],
      ['a long time', 10 * absenceMs],
    ])('asked %s from now, by a clock that went back since, it is worth nothing', async (_, ms) => {
      const payment = await notFoundOnce()
      const { absent: first } = await payment.record()
      const toCome = absent(bench.clock.ms + ms)

      await payment.finish(toCome)

      expect(await payment.record()).toMatchObject({ state: 'unconfirmed', absent: first })
    })

    it('asked at a time to come and written down twice, apart, it is not even one', async () => {
      const payment = await longSinceSent()
      const toCome = absent(bench.clock.ms + 10 * absenceMs)
      await payment.finish(toCome)
      bench.pass(gapMs)

      await payment.finish(toCome)

      expect(await payment.state()).toBe('unconfirmed')
      expect(await payment.record()).not.toHaveProperty('absent')
    })
  })

  describe('where PayConex is not seen to honour the ids that it reserves', () => {
    /** Not found twice, apart, when PayConex had had all the time it needs. */
    async function notFoundTwice(payment = bench.payment()) {
      await payment.reach('unconfirmed')
      bench.pass(absenceMs)
      await payment.finish(absent())
      bench.pass(gapMs)
      await payment.finish(absent())
      return payment
    }

    it('proves nothing: it would not find what it has charged, so it stays unconfirmed, on its schedule', async () => {
      const payment = await notFoundTwice()

      expect(await payment.state()).toBe('unconfirmed')
      expect(await payment.dueAt()).toBe(bench.clock.ms + SCHEDULED_MS)
      expect(await payment.raw()).toMatchObject({ credentials: 'sealed' })
      await expect(payment.finish({ ...absent(), state: 'not_sent' })).rejects.toThrow('it may have been sent')
    })

    it('goes to a person at the end of the schedule', async () => {
      const payment = await notFoundTwice()
      bench.pass(SCHEDULED_MS)

      await payment.finish({ state: 'review', remark: 'absent', lookedAt: bench.clock.ms })

      expect(await payment.state()).toBe('review')
      expect(await payment.ttl()).toBe(-1)
    })

    it('is proven by the next look-up once that is seen', async () => {
      const payment = await notFoundTwice()
      await bench.prove(payment.admission.account)
      expect(await payment.state()).toBe('unconfirmed')

      await payment.finish(absent())

      expect(await payment.state()).toBe('not_sent')
    })

    it('is not proven any more after a contradiction', async () => {
      const payment = await notFoundOnce()
      const { account } = payment.admission
      const another = bench.another({ account })
      await another.reach('sending')
      await another.finish({ state: 'review', remark: 'contradiction' })

      await payment.finish(absent())

      expect(await payment.state()).toBe('unconfirmed')
    })

    it.each([
      ['of another account', (payment: Payment) => bench.prove(`not ${payment.admission.account}`)],
      ['of another method', (payment: Payment) => bench.prove(payment.admission.account, { method: 'tokenize' })],
      ['of reversals', (payment: Payment) => bench.proveReversals(payment.admission.account)],
    ])('is not proven by what is seen %s', async (_, prove) => {
      const payment = bench.payment()
      await prove(payment)

      await notFoundTwice(payment)

      expect(await payment.state()).toBe('unconfirmed')
    })

    it('is not proven of a record that names no reserved id at all, whatever is seen of others', async () => {
      const payment = bench.payment()
      await bench.prove(payment.admission.account)
      await payment.reach('unconfirmed')
      await bench.redis.hdel(bench.key(`payment:${payment.key}`), FIELDS.reserved)
      bench.pass(absenceMs)
      await payment.finish(absent())
      bench.pass(gapMs)

      await payment.finish(absent())

      expect(await payment.state()).toBe('unconfirmed')
    })

    it('is not proven of a payment that had no reserved id, whatever is seen of others', async () => {
      const payment = bench.payment()
      await bench.prove(payment.admission.account)
      await payment.admit()
      await payment.fence(OWNER, '')
      await payment.finish(UNCONFIRMED)
      bench.pass(absenceMs)
      await payment.finish(absent())
      bench.pass(gapMs)

      await payment.finish(absent())

      expect(await payment.state()).toBe('unconfirmed')
    })
  })
})
