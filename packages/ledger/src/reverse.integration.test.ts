import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Entry } from './ledger.ts'
import { testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, type Payment, RESERVED, REVERSAL, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const { listeningMs, absenceMs, repeatAfterMs: gapMs, leaseMs, retentionMs } = testTimes

/** What is said of a look-up that did not find the reversal, begun just now unless the test says when. */
const absent = (lookedAt = bench.clock.ms): Entry => ({
  state: 'reversing',
  dueMs: 3_600_000,
  remark: 'absent',
  lookedAt,
})

afterAll(bench.close)

/** An approval that nobody heard, at the time when nobody tries any more. */
async function reversible(payment = bench.payment()) {
  await payment.reach('approved')
  bench.pass(listeningMs)
  return payment
}

describe('a reversal', () => {
  it('is begun of a charge that nobody heard and nobody will, and counts as a send', async () => {
    const payment = await reversible()
    const fences = Number(await bench.redis.hget(bench.key('ledger'), 'fences'))

    const reversed = await payment.reverse()

    const { ms } = bench.clock
    expect(reversed).toMatchObject({ verdict: 'reversing', fences: fences + 1 })
    expect(await payment.record()).toMatchObject({
      state: 'reversing',
      owner: OWNER,
      id: RESERVED,
      reversal: REVERSAL,
      reversals: 1,
      asked: 0,
      sent: ms,
    })
    expect(await payment.dueAt()).toBe(ms + leaseMs)
  })

  it('shows that its owner’s worker lives', async () => {
    const payment = await reversible()
    await payment.silence()
    await payment.reverse()

    expect((await payment.takeOver('w2.b'))?.verdict).toBe('refused')
  })

  it('is refused while somebody may still try', async () => {
    const payment = bench.payment()
    await payment.reach('approved')
    bench.pass(listeningMs - 1)

    expect((await payment.reverse())?.verdict).toBe('refused')
  })

  it('is refused when the clock went back', async () => {
    const payment = await reversible()
    bench.pass(-listeningMs - 1)

    expect((await payment.reverse())?.verdict).toBe('refused')
    bench.pass(listeningMs + 1)
  })

  it('is refused of what a try was waiting for', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.finish(APPROVAL)
    await payment.leave()
    bench.pass(listeningMs)

    expect(await payment.reverse()).toMatchObject({ verdict: 'refused', record: { heard: true } })
  })

  it('is refused of what somebody has read since', async () => {
    const payment = await reversible()
    await payment.admit()

    expect(await payment.reverse()).toMatchObject({ verdict: 'refused', record: { heard: true } })
  })

  it('is allowed of what was told to be unconfirmed, by tries that then left', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')
    await payment.leave()
    await payment.finish(APPROVAL)
    bench.pass(listeningMs)

    expect((await payment.reverse())?.verdict).toBe('reversing')
  })

  it('is allowed of what was told to be unconfirmed, also to whoever asked again', async () => {
    const payment = bench.payment()
    await payment.reach('unconfirmed')
    await payment.leave()
    expect((await payment.admit({ seat: 'g2:7' })).verdict).toBe('replay')
    await payment.finish(APPROVAL)
    bench.pass(listeningMs)

    expect((await payment.reverse())?.verdict).toBe('reversing')
  })

  it.each(['closed', 'left open'])('is refused of a token that is %s: no money moved', async (how) => {
    const payment = await reversible(bench.payment({ method: 'tokenize' }))
    if (how === 'left open') await bench.redis.zadd(bench.key('open'), bench.clock.ms, payment.key)

    expect((await payment.reverse())?.verdict).toBe('refused')
  })

  it('is refused while a try waits, even if its approval does not count as heard', async () => {
    const payment = await reversible()
    await bench.redis.hset(bench.key(`payment:${payment.key}`), 'waiting', 'g1:1')

    expect(await payment.reverse()).toMatchObject({ verdict: 'refused', record: { state: 'approved' } })
  })

  it('is asked about from the beginning, however often its charge was', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ ...UNCONFIRMED, asked: 3 })
    await payment.finish(APPROVAL)
    bench.pass(listeningMs)

    expect(await payment.reverse()).toMatchObject({ verdict: 'reversing', record: { asked: 0 } })
  })

  it('is refused of an approval that was kept', async () => {
    const payment = await reversible()
    await payment.keep()

    expect(await payment.reverse()).toMatchObject({ verdict: 'refused', record: { state: 'approved' } })
  })

  it('is refused without an id of its own: nobody could ask what became of it', async () => {
    const payment = await reversible()

    expect(await payment.reverse(OWNER, '')).toMatchObject({ verdict: 'refused', record: { state: 'approved' } })
  })

  it('changes nothing where it is refused', async () => {
    const payment = bench.payment()
    await payment.reach('approved')
    const before = await payment.raw()

    await payment.reverse()

    expect(await payment.raw()).toEqual(before)
  })

  it('may be asked for again by its owner under the same id, whose answer was lost: begun once, sent later', async () => {
    const payment = await reversible()
    await payment.reverse()
    bench.pass(500)

    expect(await payment.reverse()).toMatchObject({
      verdict: 'reversing',
      record: { reversals: 1, sent: bench.clock.ms },
    })
    expect(await payment.dueAt()).toBe(bench.clock.ms + leaseMs)
  })

  it.each([
    ['another owner', 'w2.b', REVERSAL],
    ['its owner under another id', OWNER, '000000000008'],
  ])('is not asked for again by %s', async (_, owner, reversal) => {
    const payment = await reversible()
    await payment.reverse()

    expect(await payment.reverse(owner, reversal)).toMatchObject({ verdict: 'refused', record: { reversal: REVERSAL } })
  })
})

describe('a payment that is being reversed', () => {
  it('keeps the id of its charge, whatever comes of the reversal', async () => {
    const payment = await reversible()
    await payment.reverse()

    await payment.finish({ state: 'reversed', id: 'another' })

    expect(await payment.record()).toMatchObject({ state: 'reversed', id: RESERVED })
  })

  it('is nobody’s until it is asked about again', async () => {
    const payment = await reversible()
    await payment.reverse()

    await payment.finish({ state: 'reversing', dueMs: 2000, asked: 1 })

    expect(await payment.record()).toMatchObject({ state: 'reversing', asked: 1 })
    expect(await payment.record()).not.toHaveProperty('owner')
    expect((await payment.takeOver('w2.b'))?.verdict).toBe('taken')
  })

  it('once reversed is closed like any other', async () => {
    const payment = bench.payment()
    await payment.reach('reversed')

    expect(await payment.raw()).not.toHaveProperty('credentials')
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBeGreaterThan(0)
  })
})

describe('a reversal that PayConex does not have', () => {
  /** PayConex is seen to honour the ids of this account's reversals, and has had all the time it needs for this one. */
  async function longSinceReversed() {
    const payment = bench.payment()
    await bench.proveReversals(payment.admission.account)
    await payment.reach('reversing')
    bench.pass(absenceMs)
    return payment
  }

  /** And was not found once since then, a gap ago: now `w2` asks. */
  async function notFoundOnce(given = longSinceReversed) {
    const payment = await given()
    await payment.finish(absent())
    bench.pass(gapMs)
    await payment.takeOver('w2.b')
    return payment
  }

  const look = (payment: Payment) => payment.finish(absent(), 'w2.b')

  it('leaves the payment approved only when that is proven', async () => {
    const payment = await longSinceReversed()

    await expect(payment.finish({ ...absent(), state: 'approved' })).rejects.toThrow('not known to be approved')
    await expect(payment.finish(APPROVAL)).rejects.toThrow('not known to be approved')
    expect(await payment.state()).toBe('reversing')
  })

  it('is not noted before PayConex had all the time it needs, counted from the reversal', async () => {
    const payment = await longSinceReversed()
    bench.pass(-1)

    await payment.finish(absent())

    expect(await payment.record()).not.toHaveProperty('absent')
  })

  it('is noted the first time after that, and is looked at again after the gap', async () => {
    const payment = await longSinceReversed()

    await payment.finish(absent())

    expect(await payment.record()).toMatchObject({ state: 'reversing', absent: bench.clock.ms })
    expect(await payment.dueAt()).toBe(bench.clock.ms + gapMs)
  })

  it('is proven by the second time, a gap later: approved again, and due to be reversed again, anew', async () => {
    const payment = await notFoundOnce()

    const finished = await look(payment)

    expect(finished).toMatchObject({ verdict: 'finished', record: { state: 'approved', id: RESERVED } })
    expect(await payment.dueAt()).toBeLessThanOrEqual(bench.clock.ms)
    expect(await payment.reverse('w2.b', '000000000008')).toMatchObject({
      verdict: 'reversing',
      record: { reversals: 2, reversal: '000000000008' },
    })
    expect(await payment.record()).not.toHaveProperty('absent')
  })

  it('is not proven by a look-up that was asked too soon and written down late', async () => {
    const payment = await longSinceReversed()
    const askedTooSoon = absent(bench.clock.ms - 1)
    bench.pass(10 * absenceMs)

    await payment.finish(askedTooSoon)

    expect(await payment.record()).not.toHaveProperty('absent')
  })

  it('is one of three: after the third a person must look', async () => {
    const payment = await notFoundOnce()
    await look(payment)
    for (const reversal of ['000000000008', '000000000007']) {
      expect(await payment.state()).toBe('approved')
      await payment.reverse('w2.b', reversal)
      bench.pass(absenceMs)
      await look(payment)
      bench.pass(gapMs)
      await payment.takeOver('w2.b')
      await look(payment)
    }

    expect(await payment.record()).toMatchObject({ state: 'review', reversals: 3 })
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBe(-1)
  })

  it('is approved for good when somebody waited when that was found', async () => {
    const payment = await notFoundOnce()
    await payment.admit({ seat: 'g2:1' })

    await look(payment)

    expect(await payment.record()).toMatchObject({ state: 'approved', heard: true })
    expect(await payment.dueAt()).toBeNull()
    expect((await payment.reverse('w2.b'))?.verdict).toBe('refused')
  })

  it('proves nothing about the account’s reserved ids when the payment is approved again', async () => {
    const payment = bench.payment()
    const { account } = payment.admission
    await bench.proveReversals(account)
    await payment.reach('unconfirmed')
    await payment.leave()
    await payment.finish({ ...APPROVAL, id: '000000000002' })
    bench.pass(listeningMs)
    await payment.reverse()
    bench.pass(absenceMs)
    await payment.finish(absent())
    bench.pass(gapMs)
    await payment.takeOver('w2.b')

    await payment.finish({ ...absent(), state: 'approved', id: RESERVED }, 'w2.b')

    expect(await payment.state()).toBe('approved')
    expect(await bench.honoured(account, 'charge')).toBeNull()
  })

  describe('where PayConex is not seen to honour the ids of reversals', () => {
    /** Its charge was approved under its reserved id, which says nothing about reversals. */
    async function unproven() {
      const payment = bench.payment()
      await payment.reach('reversing')
      bench.pass(absenceMs)
      return payment
    }

    it('may have been done all the same: it is asked about on, along the schedule', async () => {
      const payment = await notFoundOnce(unproven)
      expect(await bench.honoured(payment.admission.account, 'charge')).toBe('yes')

      await look(payment)

      expect(await payment.state()).toBe('reversing')
      expect(await payment.dueAt()).toBe(bench.clock.ms + 3_600_000)
    })

    it('goes to a person at the end of the schedule', async () => {
      const payment = await notFoundOnce(unproven)

      await payment.finish({ state: 'review', remark: 'absent', lookedAt: bench.clock.ms }, 'w2.b')

      expect(await payment.state()).toBe('review')
      expect(await payment.ttl()).toBe(-1)
    })

    it('is proven by the next look-up once that is seen', async () => {
      const payment = await notFoundOnce(unproven)
      await look(payment)
      await bench.proveReversals(payment.admission.account)
      await payment.takeOver('w2.b')

      await look(payment)

      expect(await payment.state()).toBe('approved')
    })

    it('is not proven any more after a contradiction', async () => {
      const payment = await notFoundOnce()
      const another = await reversible(bench.another({ account: payment.admission.account }))
      await another.reverse()
      await another.finish({ state: 'review', remark: 'contradiction' })
      await payment.takeOver('w2.b')

      await look(payment)

      expect(await payment.state()).toBe('reversing')
    })
  })
})

describe('that PayConex honours the ids of reversals', () => {
  /** A reversal of an account for whose charges nothing is proven. */
  async function underWay() {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ ...APPROVAL, id: '000000000002' })
    bench.pass(listeningMs)
    await payment.reverse()
    return payment
  }

  const CONTRADICTION = { state: 'review', remark: 'contradiction' } as const

  it('is seen when one is approved under its own id, and says nothing about charges', async () => {
    const payment = await underWay()
    const { account } = payment.admission

    await payment.finish({ state: 'reversed', id: REVERSAL })

    expect(await bench.honoured(account, 'reversal')).toBe('yes')
    expect(await bench.honoured(account, 'charge')).toBeNull()
  })

  it.each<[string, Entry]>([
    ['was reversed already, by whomever', { state: 'reversed' }],
    ['was reversed under another id', { state: 'reversed', id: '000000000008' }],
    ['cannot be reversed', { state: 'review' }],
    ['has no answer yet', { state: 'reversing', dueMs: 2000 }],
  ])('is not seen where PayConex says of the charge that it %s', async (_, entry) => {
    const payment = await underWay()

    await payment.finish(entry)

    expect(await bench.honoured(payment.admission.account, 'reversal')).toBeNull()
  })

  it('is not seen in charges that are approved under their ids', async () => {
    const payment = await reversible()

    expect(await bench.honoured(payment.admission.account, 'charge')).toBe('yes')
    expect(await bench.honoured(payment.admission.account, 'reversal')).toBeNull()
  })

  it('is not believed any more after a contradiction, whatever is reversed later, and of charges it says nothing', async () => {
    const payment = await reversible()
    const { account } = payment.admission
    await bench.proveReversals(account)
    await payment.reverse()

    await payment.finish(CONTRADICTION)
    await bench.proveReversals(account)

    expect(await bench.honoured(account, 'reversal')).toBe('no')
    expect(await bench.honoured(account, 'charge')).toBe('yes')
  })

  it('is believed still after a contradiction about a charge', async () => {
    const payment = bench.payment()
    const { account } = payment.admission
    await bench.proveReversals(account)
    await payment.reach('sending')

    await payment.finish(CONTRADICTION)

    expect(await bench.honoured(account, 'charge')).toBe('no')
    expect(await bench.honoured(account, 'reversal')).toBe('yes')
  })
})

describe('an approval that is kept', () => {
  it('is closed like any other', async () => {
    const payment = bench.payment()
    await payment.reach('approved')

    expect((await payment.keep())?.verdict).toBe('kept')

    expect(await payment.raw()).not.toHaveProperty('credentials')
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBeGreaterThan(0)
  })

  it('may be kept twice', async () => {
    const payment = bench.payment()
    await payment.reach('approved')
    await payment.keep()

    expect((await payment.keep())?.verdict).toBe('kept')
  })

  it('stays on the list of late approvals as long as it is remembered, and no longer', async () => {
    const first = bench.payment()
    const isListed = async () => (await bench.redis.zscore(bench.key('late'), first.key)) !== null
    const keepAnother = async () => {
      const another = bench.another()
      await another.reach('approved')
      await another.keep()
    }
    await first.reach('approved')
    await first.keep()

    bench.pass(retentionMs - 1)
    await keepAnother()
    expect(await isListed()).toBe(true)
    bench.pass(1)
    await keepAnother()
    expect(await isListed()).toBe(false)
  })

  it('is one that nothing else is under way with', async () => {
    const payment = await reversible()
    await payment.reverse()

    expect(await payment.keep()).toMatchObject({ verdict: 'refused', record: { state: 'reversing' } })
    expect(await payment.raw()).toMatchObject({ credentials: 'sealed' })
  })
})

describe('an unconfirmed payment', () => {
  it('is never reversed: nobody knows that it was charged', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish(UNCONFIRMED)
    bench.pass(listeningMs)

    expect((await payment.reverse())?.verdict).toBe('refused')
  })
})
