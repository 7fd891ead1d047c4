import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { type Script, times } from './testing.ts'
import { keyRing, openWorkshop, RESERVED } from './testing-workshop.ts'

const workshop = await openWorkshop({ ledgerUrl: inject('ledgerRedisUrl'), queueUrl: inject('queueRedisUrl') })
const { worker, ledger, clock } = workshop
let payment = workshop.payment()

beforeEach(() => {
  payment = workshop.payment()
})

afterAll(workshop.close)

const REVERSAL = '000000000009'
const reserved = { kind: 'reserved', transactionId: REVERSAL } as const
const reversed = { kind: 'reversed', transactionId: REVERSAL } as const
const reversedBefore = { kind: 'reversed' } as const
const approved = { kind: 'approved', transactionId: REVERSAL } as const
const refused = { kind: 'declined', code: '20683', message: 'CANNOT BE REVERSED' } as const
const alreadyReversed = { kind: 'declined', code: '20687', message: 'TRANSACTION ID ALREADY REVERSED' } as const
const contradiction = { kind: 'contradiction', reason: 'another charge was reversed' } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const unsent = { kind: 'unsent', reason: 'ECONNREFUSED', retry: true } as const
const notFound = { kind: 'not_found' } as const
const { absenceMs, repeatAfterMs, unconfirmedScheduleMs } = times
const FROM_ANOTHER_CLOCK = { steady: { observe: () => undefined, hasPassed: () => false } }

type Over = Parameters<typeof worker>[1]

async function reverse(script: Script, over: Over = {}) {
  const one = worker({ reserve: [reserved], ...script }, over)
  await one.reversal.reverse(await payment.read())
  return one
}

async function askAgain(script: Script, over: Over = {}) {
  const one = worker(script, over)
  await one.reversal.askAgain(await payment.read())
  return one
}

/** Nothing was asked, and the approval is closed like any other. */
async function expectKept() {
  expect(await payment.state()).toBe('approved')
  expect(await payment.dueAt()).toBeNull()
}

describe('an approval that was left open', () => {
  it('and that nobody heard is undone: by the id of its charge, under an id of its own', async () => {
    await payment.unheard()

    const { reversals } = await reverse({ reverse: [reversed] })

    expect(await payment.read()).toMatchObject({ state: 'reversed', id: RESERVED, reversal: REVERSAL, reversals: 1 })
    expect(reversals).toMatchObject([{ chargeId: RESERVED, reservedId: REVERSAL, customId: 'tx-1' }])
    expect(await payment.dueAt()).toBeNull()
  })

  it('and that somebody has heard meanwhile is kept', async () => {
    await payment.unheard()
    await payment.admit()

    const { asked } = await reverse({})

    await expectKept()
    expect(asked).toMatchObject({ reserve: 0, reverse: 0 })
  })

  it('is undone where late approvals are only reported, when a person wants it', async () => {
    await payment.unheard()
    await ledger.keep(payment.key)
    const seen = await payment.read()
    const entry = { by: 'ann', what: 'reverse', reason: '' }
    await ledger.takeBack({ seen, token: 'one', entry }, workshop.sealedFor(payment.key))

    await reverse({ reverse: [reversed] }, { reversesLate: false })

    expect(await payment.read()).toMatchObject({ state: 'reversed', id: RESERVED, reversal: REVERSAL })
    expect(await payment.dueAt()).toBeNull()
  })

  it('is kept and listed again when PayConex refuses the access key that a person brought', async () => {
    await payment.unheard()
    await ledger.keep(payment.key)
    const entry = { by: 'ann', what: 'reverse', reason: '' }
    const seen = await payment.read()
    await ledger.takeBack({ seen, token: 'one', entry }, workshop.sealedFor(payment.key))

    const { asked } = await reverse({ reserve: [{ kind: 'declined', code: '20001', message: 'Invalid account_id' }] })

    await expectKept()
    expect(await payment.read()).not.toHaveProperty('wanted')
    expect(await workshop.redis.zscore(`{${workshop.shard}}:late`, payment.key)).not.toBeNull()
    expect(await workshop.redis.hexists(`{${workshop.shard}}:payment:${payment.key}`, 'credentials')).toBe(0)
    expect(asked).toMatchObject({ reserve: 1, reverse: 0 })
  })

  it('is kept where late approvals are only reported, and that is counted', async () => {
    await payment.unheard()
    const metrics = createMetrics()

    const { asked } = await reverse({}, { reversesLate: false, metrics })

    await expectKept()
    expect(asked).toMatchObject({ reserve: 0, reverse: 0 })
    expect(await metrics.registry.metrics()).toContain('pay_worker_late_approvals_total 1')
  })

  it.each([
    ['does not answer', unanswered],
    ['says no', { kind: 'declined', code: '20001', message: 'Invalid account_id' } as const],
  ])('is left for the next look when PayConex gives no id for the reversal: it %s', async (_, answer) => {
    await payment.unheard()

    const { asked } = await reverse({ reserve: [answer] })

    expect(await payment.state()).toBe('approved')
    expect(await payment.dueAt()).toBe(clock.now() + times.leaseMs)
    expect(asked.reverse).toBe(0)
  })

  it('is left for another worker by one that cannot open its credentials', async () => {
    await payment.unheard()

    const { asked } = await reverse({}, { sealKeys: keyRing() })

    expect(await payment.state()).toBe('approved')
    expect(await payment.dueAt()).not.toBeNull()
    expect(asked).toMatchObject({ reserve: 0, reverse: 0 })
  })

  it('is kept, and listed, when nobody could open its credentials for as long again', async () => {
    await payment.unheard()
    clock.pass(times.listeningMs)

    await reverse({}, { sealKeys: keyRing() })

    expect(await payment.dueAt()).toBeNull()
    expect(await workshop.redis.zscore(`{${workshop.shard}}:late`, payment.key)).not.toBeNull()
  })

  it('is kept when somebody hears of it at the last moment: the ledger refuses', async () => {
    await payment.unheard()
    const overheard = async () => {
      await payment.admit()
      return reserved
    }

    const { asked } = await reverse({ reserve: [overheard] })

    await expectKept()
    expect(asked.reverse).toBe(0)
  })

  it('is undone once when two workers want to', async () => {
    await payment.unheard()
    const other = async () => {
      await reverse({ reverse: [reversed] }, { owners: createOwners('w2') })
      return { ...reserved, transactionId: '000000000008' }
    }

    const { asked } = await reverse({ reserve: [other] })

    expect(await payment.read()).toMatchObject({ state: 'reversed', reversal: REVERSAL, reversals: 1 })
    expect(asked.reverse).toBe(0)
  })
})

describe('a reversal', () => {
  beforeEach(() => payment.unheard())

  it.each([
    ['refuses', refused],
    ['undid something else', contradiction],
  ])('that PayConex %s goes to a person', async (_, answer) => {
    await reverse({ reverse: [answer] })

    expect(await payment.state()).toBe('review')
  })

  it.each([
    ['as the mapper reads that', reversedBefore],
    ['as PayConex says that', alreadyReversed],
  ])('of what was undone already, by whomever, is done (%s)', async (_, answer) => {
    await reverse({ reverse: [answer] })

    expect(await payment.state()).toBe('reversed')
  })

  it.each([
    ['approved under its own id shows that', reversed, 'yes'],
    ['of what was undone already does not show whether', reversedBefore, null],
    ['that is refused does not show whether', refused, null],
    ['whose answer is lost does not show whether', unanswered, null],
    ['that undid something else shows that not always', contradiction, 'no'],
  ])('%s PayConex honours the ids it reserves for reversals', async (_, answer, seen) => {
    await reverse({ reverse: [answer] })

    expect(await workshop.honoured(payment.account, 'reversal')).toBe(seen)
    expect(await workshop.honoured(payment.account, 'charge')).toBe('yes')
  })

  it.each([
    ['whose answer is lost', unanswered],
    ['that never left', unsent],
  ])('%s is not sent again, but asked about on the schedule', async (_, answer) => {
    const { asked } = await reverse({ reverse: [answer] })

    expect(await payment.read()).toMatchObject({ state: 'reversing', asked: 1, reversal: REVERSAL })
    expect(await payment.read()).not.toHaveProperty('owner')
    expect(await payment.dueAt()).toBe(clock.now() + (unconfirmedScheduleMs[1] ?? 0))
    expect(asked.reverse).toBe(1)
  })

  it('is not sent when the permission took too long: it may not hold any more', async () => {
    const slowly: typeof ledger.reverse = async (...args) => {
      const reply = await ledger.reverse(...args)
      clock.pass(times.sendWindowMs + 1)
      return reply
    }

    const { asked } = await reverse({}, { ledger: { ...ledger, reverse: slowly } })

    expect(await payment.state()).toBe('reversing')
    expect(asked.reverse).toBe(0)
  })

  it('is begun once when the ledger’s answer to it was lost', async () => {
    let isLost = false
    const lossy: typeof ledger.reverse = async (...args) => {
      const reply = await ledger.reverse(...args)
      if (isLost) return reply
      isLost = true
      throw new Error('Command timed out')
    }

    const { asked } = await reverse({ reverse: [reversed] }, { ledger: { ...ledger, reverse: lossy } })

    expect(await payment.read()).toMatchObject({ state: 'reversed', reversals: 1 })
    expect(asked.reverse).toBe(1)
  })

  it('is not sent when too few replicas have written down that it may be, and is asked about', async () => {
    const undurable: typeof ledger.reverse = async (...args) => {
      const reply = await ledger.reverse(...args)
      return reply && { ...reply, verdict: 'refused' }
    }

    const { asked } = await reverse({}, { ledger: { ...ledger, reverse: undurable } })

    expect(await payment.state()).toBe('reversing')
    expect(asked.reverse).toBe(0)
    await askAgain({ lookUp: [notFound] })
    expect(await payment.read()).toMatchObject({ state: 'reversing', asked: 1 })
  })
})

describe('a reversal that is asked about', () => {
  beforeEach(async () => {
    await payment.unheard()
    await reverse({ reverse: [unanswered] })
  })

  it('is asked about by its own id', async () => {
    const { lookUps } = await askAgain({ lookUp: [unanswered] })

    expect(lookUps).toMatchObject([{ type: 'REVERSAL', reservedId: REVERSAL }])
  })

  it.each([
    ['is found: reversed', approved, 'reversed'],
    ['is found refused, because it was undone already: reversed', alreadyReversed, 'reversed'],
    ['is found refused: a person must look', refused, 'review'],
    ['is found under another id: a person must look', contradiction, 'review'],
  ] as const)('and %s', async (_, answer, state) => {
    await askAgain({ lookUp: [answer] })

    expect(await payment.state()).toBe(state)
  })

  it('and is found under its own id shows that PayConex honours the ids it reserves for reversals', async () => {
    await askAgain({ lookUp: [approved] })

    expect(await workshop.honoured(payment.account, 'reversal')).toBe('yes')
  })

  it.each([
    ['not answered about', unanswered],
    ['not found, too soon to mean anything', notFound],
  ])('and is %s is asked about again later', async (_, answer) => {
    await askAgain({ lookUp: [answer] })

    expect(await payment.read()).toMatchObject({ state: 'reversing', asked: 2 })
    expect(await payment.dueAt()).toBe(clock.now() + (unconfirmedScheduleMs[2] ?? 0))
  })

  it('to the end of the schedule goes to a person', async () => {
    for (let looks = 0; (await payment.state()) === 'reversing' && looks < 50; looks += 1) {
      await askAgain({ lookUp: [unanswered] })
    }

    expect(await payment.read()).toMatchObject({ state: 'review', asked: unconfirmedScheduleMs.length - 1 })
  })

  it('is asked about by whoever finds its worker silent, and not sent again', async () => {
    payment = workshop.payment()
    await payment.unheard()
    await ledger.reverse(payment, { owner: 'dead.a', reversal: REVERSAL })
    await ledger.dropLease('dead')

    const { asked } = await askAgain({ lookUp: [approved] })

    expect(await payment.state()).toBe('reversed')
    expect(asked.reverse).toBe(0)
  })

  it('is left alone while its worker lives', async () => {
    payment = workshop.payment()
    await payment.unheard()
    await ledger.reverse(payment, { owner: 'alive.a', reversal: REVERSAL })

    const { asked } = await askAgain({})

    expect(await payment.read()).toMatchObject({ state: 'reversing', owner: 'alive.a' })
    expect(asked.lookUp).toBe(0)
  })
})

describe('a reversal that PayConex does not know, when it had all the time it needs', () => {
  beforeEach(async () => {
    await workshop.proveReversals(payment.account)
    await payment.unheard()
    await reverse({ reverse: [unanswered] })
    clock.pass(absenceMs)
  })

  /** Two look-ups apart. */
  async function proveAbsent() {
    await askAgain({ lookUp: [notFound] })
    clock.pass(repeatAfterMs)
    await askAgain({ lookUp: [notFound] })
  }

  it('is noted the first time', async () => {
    await askAgain({ lookUp: [notFound] })

    expect(await payment.read()).toMatchObject({ state: 'reversing', absent: clock.now() })
    expect(await payment.dueAt()).toBe(clock.now() + repeatAfterMs)
  })

  it('is known not to have been done the second time: approved again, and due to be undone again', async () => {
    await proveAbsent()

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED, reversals: 1 })
    expect(await payment.dueAt()).toBeLessThanOrEqual(clock.now())
  })

  it('is sent again under a fresh id', async () => {
    await proveAbsent()

    const again = { ...reserved, transactionId: '000000000010' }
    const { reversals } = await reverse({
      reserve: [again],
      reverse: [{ ...reversed, transactionId: '000000000010' }],
    })

    expect(reversals).toMatchObject([{ chargeId: RESERVED, reservedId: '000000000010' }])
    expect(await payment.read()).toMatchObject({ state: 'reversed', reversals: 2 })
  })

  it('three times goes to a person', async () => {
    await proveAbsent()
    for (const id of ['000000000010', '000000000011']) {
      expect(await payment.state()).toBe('approved')
      await reverse({ reserve: [{ ...reserved, transactionId: id }], reverse: [unanswered] })
      clock.pass(absenceMs)
      await proveAbsent()
    }

    expect(await payment.read()).toMatchObject({ state: 'review', reversals: 3 })
  })

  it('and that somebody waits for is approved for good: they hear of the charge', async () => {
    await payment.admit()

    await proveAbsent()

    expect(await payment.read()).toMatchObject({ state: 'approved', heard: true })
    expect(await payment.dueAt()).toBeNull()
  })

  it('is not believed to be absent while this worker’s own clock does not agree', async () => {
    await askAgain({ lookUp: [notFound] }, FROM_ANOTHER_CLOCK)

    expect(await payment.read()).toMatchObject({ state: 'reversing', asked: 2 })
    expect(await payment.read()).not.toHaveProperty('absent')
  })
})

describe('a reversal that PayConex never knows', () => {
  beforeEach(() => payment.unheard())

  /** Whenever it is due, while it is under way. */
  async function askToTheEnd(beforeLook: (looks: number) => unknown = () => undefined) {
    for (let looks = 0; (await payment.state()) === 'reversing' && looks < 50; looks += 1) {
      clock.pass(((await payment.dueAt()) ?? 0) - clock.now())
      await beforeLook(looks)
      await askAgain({ lookUp: [notFound] })
    }
  }

  it('goes to a person where PayConex is not seen to honour the ids of reversals: it may have been done', async () => {
    await reverse({ reverse: [unanswered] })

    await askToTheEnd()

    expect(await payment.read()).toMatchObject({
      state: 'review',
      reversals: 1,
      absent: expect.any(Number),
      asked: unconfirmedScheduleMs.length - 1,
    })
  })

  it('is known not to have been done with the first look after it is seen to', async () => {
    await reverse({ reverse: [unanswered] })

    await askToTheEnd(async (look) => {
      if (look === 5) await workshop.proveReversals(payment.account)
    })

    expect(await payment.read()).toMatchObject({ state: 'approved', reversals: 1 })
  })
})

describe('the reversal of a charge that had no reserved id', () => {
  it('is asked about like any other, for it has an id of its own', async () => {
    await payment.fenced('w0.a', '')
    await payment.leave()
    await ledger.finish(payment.attempt, 'w0.a', { state: 'approved', id: RESERVED })
    clock.pass(times.listeningMs)

    await reverse({ reverse: [unanswered] })

    expect(await payment.state()).toBe('reversing')
    await askAgain({ lookUp: [approved] })
    expect(await payment.state()).toBe('reversed')
  })
})
