import { type SealKeys, sealCredentials } from '@pay/payment-queue'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { credentials, listeningLog, type Script, times } from './testing.ts'
import { keyRing, openWorkshop, RESERVED } from './testing-workshop.ts'

const workshop = await openWorkshop({ ledgerUrl: inject('ledgerRedisUrl'), queueUrl: inject('queueRedisUrl') })
const { worker, ledger, sealed, redis, shard, clock } = workshop
let payment = workshop.payment()

beforeEach(() => {
  payment = workshop.payment()
})

afterAll(workshop.close)

const approved = { kind: 'approved', transactionId: RESERVED } as const
const declined = { kind: 'declined', code: '30002', message: 'DECLINED' } as const
const contradiction = { kind: 'contradiction', reason: 'approved with another amount' } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const notFound = { kind: 'not_found' } as const
const { absenceMs, repeatAfterMs, unconfirmedScheduleMs } = times
const [FIRST_MS = 0, SECOND_MS = 0] = unconfirmedScheduleMs
const DAY = 24 * 3_600_000
const FROM_ANOTHER_CLOCK = { steady: { observe: () => undefined, hasPassed: () => false } }

describe('a payment in sending whose worker is silent', () => {
  /** PayConex does not know it, and its account has proof that reserved ids are honoured. */
  async function unsentAndProven() {
    payment = workshop.payment(await workshop.provenAccount())
    await payment.orphaned()
  }

  const takeOver = async (one: ReturnType<typeof worker>) => one.adopt.takeOver(await payment.read())

  it('is asked about first, and what is found is written down: nothing is sent', async () => {
    await unsentAndProven()
    const one = worker({ lookUp: [approved] })

    await takeOver(one)

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED })
    expect(one.asked.submit).toBe(0)
  })

  it('is sent once more with what was sealed for it, under the id it was sent under, when PayConex does not know it', async () => {
    await unsentAndProven()
    const one = worker({ lookUp: [notFound], submit: [approved] })

    await takeOver(one)

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED })
    expect(one.submissions).toEqual([{ reservedId: RESERVED, isRepeat: true }])
    expect(one.asked.lookUp).toBeGreaterThanOrEqual(2)
    expect(await payment.sealed()).toBeNull()
  })

  it('is sent once more not before its first worker can have sent it, and a while after', async () => {
    await unsentAndProven()
    const { sent = 0 } = await payment.read()
    const sentAt: number[] = []
    const noting = () => {
      sentAt.push(clock.now())
      return approved
    }

    await takeOver(worker({ lookUp: [notFound], submit: [noting] }))

    const latest = sent + times.sendWindowMs + times.connectTimeoutMs
    expect(sentAt[0]).toBeGreaterThanOrEqual(latest + repeatAfterMs)
  })

  it.each([
    ['is gone', () => sealed.shred(payment.attempt)],
    ['cannot be opened', () => sealed.keep(payment.attempt, '2.k1.AAAA', 60_000)],
  ])('is only asked about when what was sealed for it %s', async (_, harm) => {
    await unsentAndProven()
    await harm()
    const one = worker({ lookUp: [notFound] })

    await takeOver(one)

    expect(await payment.state()).toBe('unconfirmed')
    expect(one.asked).toMatchObject({ submit: 0, reserve: 0 })
  })

  it('is only asked about when nothing proves that reserved ids are honoured', async () => {
    await payment.orphaned()
    const one = worker({ lookUp: [notFound] })

    await takeOver(one)

    expect(await payment.state()).toBe('unconfirmed')
    expect(one.asked.submit).toBe(0)
  })

  it('is unconfirmed without a reserved id: there is nothing to ask by, and nothing is sent', async () => {
    payment = workshop.payment(await workshop.provenAccount())
    await payment.orphaned('')
    const one = worker({})

    await takeOver(one)

    expect(await payment.state()).toBe('unconfirmed')
  })

  it('goes to one of two workers, and the other does nothing', async () => {
    await payment.orphaned()
    const record = await payment.read()
    const one = worker({ lookUp: [approved] }, { owners: createOwners('w1') })
    const two = worker({ lookUp: [approved] }, { owners: createOwners('w2') })

    await Promise.all([one.adopt.takeOver(record), two.adopt.takeOver(record)])

    expect(one.asked.lookUp + two.asked.lookUp).toBe(1)
  })

  it('that another worker took meanwhile is left to that one: what was found here is not written down', async () => {
    await payment.orphaned()
    const losing = async () => {
      const record = await payment.read()
      await ledger.takeOver(record, 'w2.b', { isForgotten: true })
      return approved
    }

    await takeOver(worker({ lookUp: [losing] }))

    expect(await payment.read()).toMatchObject({ state: 'sending', owner: 'w2.b' })
  })
})

describe('a payment whose credentials cannot be opened', () => {
  const keep = (text: string) => redis.hset(`{${shard}}:payment:${payment.key}`, 'credentials', text)
  const kept = async () => (await redis.hget(`{${shard}}:payment:${payment.key}`, 'credentials')) ?? ''
  const takeOver = async (one: ReturnType<typeof worker>) => one.adopt.takeOver(await payment.read())

  const HARMS: [string, string, () => Promise<unknown>][] = [
    ['were altered', 'ALTERED', async () => keep((await kept()).replace(/.{4}$/, 'AAAA'))],
    ['are another payment’s', 'ALTERED', () => keep(sealCredentials(credentials, 'p_other', workshop.keys))],
    ['are under an unknown key', 'UNKNOWN_KEY', () => keep(sealCredentials(credentials, payment.key, keyRing('k9')))],
    ['are not there', 'NOT_SEALED', () => keep('')],
  ]

  it.each(HARMS)(
    'because they %s is left for another worker, and the log says so without a word of them',
    async (...harm) => {
      const [, code, harmed] = harm
      await payment.orphaned()
      await harmed()
      const { log, lines } = listeningLog()
      let lockedOut = 0
      const one = worker({}, { log, onLocked: () => (lockedOut += 1) })

      await takeOver(one)

      expect(await payment.read()).toMatchObject({ state: 'sending' })
      expect((await payment.read()).owner).toBeUndefined()
      expect(lockedOut).toBe(1)
      const said = { event: 'payment.locked', payment: payment.key, reason: code }
      expect(lines).toContainEqual(['error', said, 'the credentials cannot be opened'])
      expect(JSON.stringify(lines).replaceAll(payment.key, '')).not.toMatch(/1\.k\d|k9|120615|abcdef/)
    },
  )

  it.each(HARMS)('because they %s is told as unconfirmed when nobody could until ANSWER_BY', async (_, __, harm) => {
    await payment.orphaned()
    await harm()
    clock.pass(times.answerByMs)

    await takeOver(worker({}))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 0 })
  })

  it.each(HARMS)('because they %s ends, unconfirmed to the last, with a person', async (_, __, harm) => {
    await payment.unconfirmed()
    await harm()
    const one = worker({})

    for (let looks = 1; looks < unconfirmedScheduleMs.length; looks += 1) {
      await one.adopt.askAgain(await payment.read())
      expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: looks })
    }
    await one.adopt.askAgain(await payment.read())

    expect(await payment.state()).toBe('review')
    expect(one.asked).toMatchObject({ submit: 0, lookUp: 0 })
  })

  it('here is taken over by a worker that has the key, and the caller still hears the truth', async () => {
    await payment.orphaned()
    await takeOver(worker({}, { sealKeys: keyRing('k9'), owners: createOwners('w1') }))

    await takeOver(worker({ lookUp: [approved] }, { owners: createOwners('w2') }))

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED })
  })

  it('and that has no id to ask by is nobody’s to ask about: it is unconfirmed', async () => {
    await payment.orphaned('')

    await takeOver(worker({}, { sealKeys: keyRing('k9') }))

    expect(await payment.state()).toBe('unconfirmed')
  })
})

describe('an unconfirmed payment that is due', () => {
  const askAgain = async (one: ReturnType<typeof worker>) => one.adopt.askAgain(await payment.read())

  it.each([
    ['approved', approved, { state: 'approved', id: RESERVED }],
    ['declined', declined, { state: 'declined', code: '30002', message: 'DECLINED' }],
    ['approved, but not as it was asked', contradiction, { state: 'review' }],
  ])('and is found %s becomes that', async (_, answer, expected) => {
    await payment.unconfirmed()

    await askAgain(worker({ lookUp: [answer] }))

    expect(await payment.read()).toMatchObject(expected)
  })

  it('is asked about once, under its reserved id, and never sent', async () => {
    await payment.unconfirmed()
    const one = worker({ lookUp: [unanswered] })

    await askAgain(one)

    expect(one.lookUps).toMatchObject([{ type: 'SALE', reservedId: RESERVED }])
    expect(one.asked).toMatchObject({ submit: 0, lookUp: 1 })
  })

  it.each([
    ['not answered', unanswered],
    ['not found, too soon to mean anything', notFound],
  ])('and is %s is asked about again, later each time', async (_, answer) => {
    await payment.unconfirmed()
    const one = worker({ lookUp: [answer] })

    await askAgain(one)
    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
    expect(await payment.dueAt()).toBe(clock.now() + SECOND_MS)
    await askAgain(one)

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 2 })
    expect(SECOND_MS).toBeGreaterThan(FIRST_MS)
  })

  it('whose credentials this worker cannot open stays on the schedule, for others may', async () => {
    await payment.unconfirmed()

    await askAgain(worker({}, { sealKeys: keyRing() }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
  })

  it.each<[string, Script, { sealKeys?: SealKeys }, string]>([
    ['was not found', { lookUp: [notFound] }, {}, 'not_found'],
    ['was not answered about', { lookUp: [unanswered] }, {}, 'unanswered'],
    ['could not be asked about here', {}, { sealKeys: keyRing() }, 'unaskable'],
  ])('says when and why it %s, for people who look', async (_, script, over, what) => {
    await payment.unconfirmed()

    await askAgain(worker(script, over))

    expect((await payment.read()).said).toEqual({ at: clock.now(), what })
  })

  it('and was asked about to the end of the schedule goes to a person', async () => {
    await payment.finished({ state: 'unconfirmed', dueMs: 2000, asked: unconfirmedScheduleMs.length - 1 })

    await askAgain(worker({ lookUp: [unanswered] }))

    expect(await payment.state()).toBe('review')
  })

  it('without a reserved id goes to a person at once: there is nothing to ask by', async () => {
    await payment.fenced('w0.a', '')
    await ledger.finish(payment.attempt, 'w0.a', { state: 'unconfirmed', dueMs: 2000 })

    await askAgain(worker({}))

    expect(await payment.state()).toBe('review')
  })

  it('that another worker took meanwhile is left to that one', async () => {
    await payment.unconfirmed()
    const losing = async () => {
      await ledger.takeOver(await payment.read(), 'w2.b')
      return approved
    }

    await askAgain(worker({ lookUp: [losing] }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', owner: 'w2.b' })
  })
})

describe('an unconfirmed payment that PayConex does not know, when it had all the time it needs', () => {
  const askAgain = async (one: ReturnType<typeof worker>) => one.adopt.askAgain(await payment.read())

  beforeEach(async () => {
    payment = workshop.payment(await workshop.provenAccount())
    await payment.unconfirmed()
    clock.pass(absenceMs)
  })

  it('is not found for the first time: that is noted, and looked at again after the gap', async () => {
    await askAgain(worker({ lookUp: [notFound] }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', absent: clock.now(), asked: 1 })
    expect(await payment.dueAt()).toBe(clock.now() + repeatAfterMs)
  })

  it('is not found for the second time, a gap later: it was not sent, and the next try begins anew', async () => {
    await payment.leave()
    await askAgain(worker({ lookUp: [notFound] }))
    clock.pass(repeatAfterMs)

    await askAgain(worker({ lookUp: [notFound] }))

    expect(await payment.state()).toBe('not_sent')
    expect(await payment.sealed()).toBeNull()
    expect(await payment.admit()).toMatchObject({ verdict: 'new', record: { attempt: 2 } })
  })

  it('is not found again too soon: it stays unconfirmed', async () => {
    await askAgain(worker({ lookUp: [notFound] }))
    const { absent } = await payment.read()
    clock.pass(repeatAfterMs - 1)

    await askAgain(worker({ lookUp: [notFound] }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', absent })
  })

  it('is found after all the second time: approved', async () => {
    await askAgain(worker({ lookUp: [notFound] }))
    clock.pass(repeatAfterMs)

    await askAgain(worker({ lookUp: [approved] }))

    expect(await payment.state()).toBe('approved')
  })

  it('is not answered about the second time: that proves nothing', async () => {
    await askAgain(worker({ lookUp: [notFound] }))
    clock.pass(repeatAfterMs)

    await askAgain(worker({ lookUp: [unanswered] }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 2 })
  })

  it('is proven absent by a third look-up, whatever the second was', async () => {
    await askAgain(worker({ lookUp: [notFound] }))
    clock.pass(repeatAfterMs)
    await askAgain(worker({ lookUp: [unanswered] }))

    await askAgain(worker({ lookUp: [notFound] }))

    expect(await payment.state()).toBe('not_sent')
  })

  it('is asked about once more at the end of the schedule, and was not sent if that proves it', async () => {
    const asked = unconfirmedScheduleMs.length - 2
    payment = workshop.payment(await workshop.provenAccount())
    await payment.finished({ state: 'unconfirmed', dueMs: 2000, asked })
    clock.pass(absenceMs)
    await askAgain(worker({ lookUp: [notFound] }))
    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: asked + 1 })
    clock.pass(repeatAfterMs)

    await askAgain(worker({ lookUp: [notFound] }))

    expect(await payment.state()).toBe('not_sent')
  })

  it('is not believed to be absent while this worker’s own clock does not agree', async () => {
    await askAgain(worker({ lookUp: [notFound] }, FROM_ANOTHER_CLOCK))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
    expect(await payment.read()).not.toHaveProperty('absent')
  })

  it('is not believed to be absent the second time either while this worker’s own clock does not agree', async () => {
    await askAgain(worker({ lookUp: [notFound] }))
    clock.pass(repeatAfterMs)

    await askAgain(worker({ lookUp: [notFound] }, FROM_ANOTHER_CLOCK))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 2 })
  })

  it('was looked up before the margin had passed: answered after it, that proves nothing', async () => {
    clock.pass(-1)
    const slowly = () => {
      clock.pass(times.questionTimeoutMs)
      return notFound
    }

    await askAgain(worker({ lookUp: [slowly] }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
    expect(await payment.read()).not.toHaveProperty('absent')
  })

  it('was looked up when the ledger last told the time, however long what came of it could not be written down', async () => {
    const { finish } = ledger
    const away: typeof finish = async (...args) => {
      clock.pass(10 * repeatAfterMs)
      return finish(...args)
    }
    const begun = clock.now()

    await askAgain(worker({ lookUp: [notFound] }, { ledger: { ...ledger, finish: away } }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', absent: begun })
  })

  it('was looked up when the ledger last told the time, not when that was heard', async () => {
    const takeOver: typeof ledger.takeOver = async (...args) => {
      clock.pass(1000)
      const reply = await ledger.takeOver(...args)
      clock.pass(1000)
      return reply
    }
    const begun = clock.now() + 1000

    await askAgain(worker({ lookUp: [notFound] }, { ledger: { ...ledger, takeOver } }))

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', absent: begun })
  })

  it('is looked up once, however often that has to be written down: its answers are lost', async () => {
    const lossy: typeof ledger.finish = async (...args) => {
      const reply = await ledger.finish(...args)
      if (clock.now() < lostUntil) {
        clock.pass(repeatAfterMs)
        throw new Error('Command timed out')
      }
      return reply
    }
    const lostUntil = clock.now() + 3 * repeatAfterMs
    const one = worker({ lookUp: [notFound] }, { ledger: { ...ledger, finish: lossy } })

    await askAgain(one)

    expect(one.asked.lookUp).toBe(1)
    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
  })

  it('was asked by its own clock since when it was sent, for as long as the absence takes', async () => {
    const questions: [number, number][] = []
    const hasPassed = (ms: number, moment: number) => questions.push([ms, moment]) > 0
    const { sent = 0 } = await payment.read()

    await askAgain(worker({ lookUp: [notFound] }, { steady: { observe: () => undefined, hasPassed } }))

    expect(questions).toEqual([[absenceMs, sent]])
  })
})

describe('a payment that a person asks about', () => {
  const entry = { by: 'ann', what: 'ask', reason: '' }
  const asked = unconfirmedScheduleMs.length
  const askNow = async (token: string, sealedCredentials = '') =>
    ledger.askNow({ seen: await payment.read(), token, entry }, { sealedCredentials, asked })

  it('twice before anybody looks stays unconfirmed without an answer, with its schedule from the beginning', async () => {
    await payment.unconfirmed()
    await askNow('one')
    await askNow('two')

    await worker({ lookUp: [unanswered] }).adopt.askAgain(await payment.read())

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 0 })
    expect(await payment.dueAt()).toBe(clock.now() + (unconfirmedScheduleMs[0] ?? 0))
  })

  it.each([
    ['nobody has paid again', false, 'declined'],
    ['somebody has paid again', true, 'accepted'],
  ] as const)(
    'and says is declined while a worker learns that it was approved is reported: %s',
    async (_, isPaidAgain, state) => {
      await payment.unconfirmed()
      clock.pass(absenceMs)
      const metrics = createMetrics()
      const { log, lines } = listeningLog()
      const meanwhile = async () => {
        const seen = await payment.read()
        await ledger.resolve({ seen, token: 'one', entry }, { state: 'declined', code: '30002', message: 'DECLINED' })
        if (isPaidAgain) await payment.admitAnother()
        return approved
      }

      await worker({ lookUp: [meanwhile] }, { metrics, log }).adopt.askAgain(await payment.read())

      expect(await payment.state()).toBe(state)
      expect(await metrics.registry.metrics()).toContain('pay_worker_contradictions_total 1')
      const fields = { event: 'payment.contradicted', payment: payment.key, attempt: 1, method: 'charge', state }
      expect(lines).toContainEqual(['error', fields, expect.any(String)])
    },
  )

  it('and says is approved while a worker learns the same is lost to that worker, and nothing else', async () => {
    await payment.unconfirmed()
    const metrics = createMetrics()
    const meanwhile = async () => {
      const seen = await payment.read()
      await ledger.resolve({ seen, token: 'one', entry }, { state: 'approved', id: RESERVED })
      return approved
    }

    await worker({ lookUp: [meanwhile] }, { metrics }).adopt.askAgain(await payment.read())

    expect(await metrics.registry.metrics()).toContain('pay_worker_contradictions_total 0')
  })

  it.each([notFound, unanswered])('is for review again after one look without an answer: $kind', async (answer) => {
    await payment.finished({ state: 'review' })
    clock.pass(absenceMs)
    await askNow('one', workshop.sealedFor(payment.key))
    expect(await payment.state()).toBe('unconfirmed')

    await worker({ lookUp: [answer] }).adopt.askAgain(await payment.read())

    expect(await payment.state()).toBe('review')
    expect(await payment.dueAt()).toBeNull()
  })
})

describe('an unconfirmed payment that PayConex never knows', () => {
  /** Whenever it is due, until it is over; says how long after it was sent that was. */
  async function askToTheEnd(beforeLook: (looks: number) => unknown = () => undefined) {
    const { sent = 0 } = await payment.read()
    const one = worker({ lookUp: [notFound] })
    for (let looks = 0; (await payment.state()) === 'unconfirmed' && looks < 50; looks += 1) {
      clock.pass(((await payment.dueAt()) ?? 0) - clock.now())
      await beforeLook(looks)
      await one.adopt.askAgain(await payment.read())
    }
    return { looks: one.asked.lookUp, tookMs: clock.now() - sent }
  }

  it('is known not to have been sent as soon as that can be known, along its whole schedule', async () => {
    payment = workshop.payment(await workshop.provenAccount())
    await payment.unconfirmed()

    const { tookMs } = await askToTheEnd()

    expect(await payment.state()).toBe('not_sent')
    expect(tookMs).toBe(absenceMs + repeatAfterMs)
  })

  it('goes to a person after days where PayConex is not seen to honour ids: it would not find what it has charged', async () => {
    await payment.unconfirmed()

    const { looks, tookMs } = await askToTheEnd()

    expect(await payment.state()).toBe('review')
    expect(looks).toBe(unconfirmedScheduleMs.length)
    expect(tookMs).toBeGreaterThan(4.9 * DAY)
    expect(tookMs).toBeLessThan(5.1 * DAY)
  })

  it('is known not to have been sent with the first look after it is seen to honour them', async () => {
    await payment.unconfirmed()
    const seenBefore = unconfirmedScheduleMs.length - 1

    const { looks } = await askToTheEnd(async (look) => {
      if (look === seenBefore) await workshop.provenAccount(payment.account)
    })

    expect(await payment.state()).toBe('not_sent')
    expect(looks).toBe(seenBefore + 1)
  })
})
