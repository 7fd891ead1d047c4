import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { FIELDS } from '../../../packages/ledger/src/testing.ts'
import { seal } from '../../../packages/payment-queue/src/seal.ts'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { listeningLog, type Script, times } from './testing.ts'
import { freshId, openWorkshop, RESERVED } from './testing-workshop.ts'

const workshop = await openWorkshop({ ledgerUrl: inject('ledgerRedisUrl'), queueUrl: inject('queueRedisUrl') })
const { worker, ledger, sealed, clock } = workshop
let payment = workshop.payment()

beforeEach(() => {
  payment = workshop.payment()
})

afterAll(workshop.close)

const reserved = { kind: 'reserved', transactionId: RESERVED } as const
const another = { kind: 'reserved', transactionId: '000000000002' } as const
const approved = { kind: 'approved', transactionId: RESERVED } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const unsent = { kind: 'unsent', reason: 'ECONNREFUSED', retry: true } as const
const bindingOf = ({ key }: { key: string }) => `payment:${key}.1`
const NOTHING = { reserve: 0, submit: 0, lookUp: 0, reverse: 0 }

describe('a job', () => {
  it('reserves, fences, sends and writes down the outcome, and the card data is gone', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [approved] })

    await processPayment(payment.attempt)

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED, reserved: RESERVED })
    expect(await payment.sealed()).toBeNull()
    expect(asked).toEqual({ ...NOTHING, reserve: 1, submit: 1 })
  })

  it('is measured in all its phases, each once', async () => {
    await payment.accepted()
    clock.pass(3000)
    const metrics = createMetrics()
    const slow = () => {
      clock.pass(700)
      return approved
    }
    const { processPayment } = worker({ reserve: [reserved], submit: [slow] }, { metrics })

    await processPayment(payment.attempt)

    const shown = await metrics.registry.metrics()
    const phases = [...shown.matchAll(/^pay_worker_phase_duration_seconds_sum\{phase="(\w+)"\} (\S+)$/gm)]
    expect(Object.fromEntries(phases.map(([, phase, seconds]) => [phase, Number(seconds)]))).toEqual({
      reserve: 0,
      queue: 3,
      send: 0.7,
      total: 3.7,
    })
    expect(shown).toContain('pay_worker_fence_duration_seconds_count{verdict="fenced"} 1')
  })

  it('counts each time that the ledger does not answer to its fence', async () => {
    await payment.accepted()
    const metrics = createMetrics()
    let calls = 0
    const fence: typeof ledger.fence = async (...asked) => {
      calls += 1
      if (calls < 3) throw new Error('away')
      return ledger.fence(...asked)
    }
    const { processPayment } = worker(
      { reserve: [reserved], submit: [approved] },
      { metrics, ledger: { ...ledger, fence } },
    )

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
    expect(await metrics.registry.metrics()).toContain('pay_worker_ledger_failures_total{step="fence"} 2')
  })

  it('that comes twice at the same time sends once', async () => {
    await payment.accepted()
    const one = worker({ reserve: [reserved], submit: [approved] })
    const two = worker({ reserve: [another], submit: [approved] }, { owners: createOwners('w2') })

    await Promise.all([one.processPayment(payment.attempt), two.processPayment(payment.attempt)])

    expect(one.asked.submit + two.asked.submit).toBe(1)
  })

  it.each([
    ['of an unknown payment', async () => undefined],
    [
      'of a payment that was withdrawn',
      async () => {
        await payment.accepted()
        await ledger.withdraw(payment.attempt, { state: 'not_sent' })
      },
    ],
  ])('%s sends nothing and erases the card data', async (_, given) => {
    await given()
    await payment.seal()
    const { processPayment, asked } = worker({ reserve: [reserved] })

    await processPayment(payment.attempt)

    expect(asked).toMatchObject({ ...NOTHING, reserve: 1 })
    expect(await payment.sealed()).toBeNull()
  })

  it('of a payment that was withdrawn asks PayConex for nothing: what was sealed is gone with that', async () => {
    await payment.accepted()
    await ledger.withdraw(payment.attempt, { state: 'not_sent' })
    await sealed.shred(payment.attempt)
    const { processPayment, asked } = worker({})

    await processPayment(payment.attempt)

    expect(asked).toEqual(NOTHING)
    expect(await payment.state()).toBe('not_sent')
  })

  it('of an earlier attempt sends nothing for the next one', async () => {
    await payment.accepted()
    await payment.leave()
    await ledger.withdraw(payment.attempt, { state: 'not_sent' })
    await payment.admit()
    const { processPayment, asked } = worker({ reserve: [reserved] })

    await processPayment(payment.attempt)

    expect(asked).toEqual({ ...NOTHING, reserve: 1 })
    expect(await payment.read()).toMatchObject({ state: 'accepted', attempt: 2 })
    expect(await payment.sealed()).toBeNull()
  })

  const keep = (text: string) => sealed.keep(payment.attempt, text, 60_000)
  const kept = async () => (await payment.sealed()) ?? ''
  const ofAnother = async () => {
    const other = workshop.payment()
    await other.accepted()
    return (await other.sealed()) ?? ''
  }

  it.each([
    ['is gone', 'gone', () => sealed.shred(payment.attempt)],
    ['is no sealed text', 'NOT_SEALED', () => keep('2.k1.AAAA')],
    ['was altered', 'ALTERED', async () => keep((await kept()).replace(/.{4}$/, 'AAAA'))],
    ['was sealed for another payment', 'ALTERED', async () => keep(await ofAnother())],
    ['is under an unknown key', 'UNKNOWN_KEY', async () => keep((await kept()).replace('2.k1.', '2.k9.'))],
    [
      'holds what another version sealed',
      'OTHER_VERSION',
      async () => keep(seal('{}', bindingOf(payment), workshop.keys)),
    ],
  ])('whose sealed payment %s is not sent, and says so without a word of it', async (_, reason, harm) => {
    await payment.accepted()
    await harm()
    const { log, lines } = listeningLog()
    const { processPayment, asked } = worker({}, { log })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
    expect(await payment.sealed()).toBeNull()
    const said = { event: 'payment.unopened', payment: payment.key, attempt: 1, reason }
    expect(lines).toContainEqual(['warn', said, expect.any(String)])
    const told = { event: 'payment.not_sent', from: 'accepted', state: 'not_sent', class: 'unopened' }
    expect(lines).toContainEqual(['info', expect.objectContaining(told), 'not_sent'])
    expect(JSON.stringify(lines).replaceAll(payment.key, '')).not.toMatch(/1\.k\d|k9|4111|0827|120615/)
  })
})

describe('a payment for which nobody waits any more', () => {
  it('is not sent: whoever hung up does not come back, and whoever does begins anew', async () => {
    await payment.accepted()
    await payment.leave()
    clock.pass(times.abandonedMs)
    const { processPayment, asked } = worker({ reserve: [reserved] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked).toEqual({ ...NOTHING, reserve: 1 })
    expect(await payment.sealed()).toBeNull()
    expect(await payment.admit()).toMatchObject({ verdict: 'new', record: { attempt: 2 } })
  })

  it('is sent as long as the next try may be on its way', async () => {
    await payment.accepted()
    await payment.leave()
    clock.pass(times.abandonedMs - 1)

    await worker({ reserve: [reserved], submit: [approved] }).processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
  })

  it('is sent when the next try has come', async () => {
    await payment.accepted()
    await payment.leave()
    clock.pass(times.abandonedMs)
    await payment.admit()

    await worker({ reserve: [reserved], submit: [approved] }).processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
  })
})

describe('reserving', () => {
  it('is tried again until it works', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [unanswered, unanswered, reserved], submit: [approved] })

    await processPayment(payment.attempt)

    expect(asked).toMatchObject({ reserve: 3, submit: 1 })
    expect(await payment.state()).toBe('approved')
  })

  it('that never works leaves the payment not sent, at SEND_BY', async () => {
    await payment.accepted()
    const started = clock.now()
    const { processPayment, asked } = worker({ reserve: [unanswered] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
    expect(clock.now() - started).toBeGreaterThanOrEqual(times.sendByMs)
    expect(clock.now() - started).toBeLessThan(times.sendByMs + 2000)
  })

  it('that PayConex refuses is PayConex’ no: nothing is sent', async () => {
    await payment.accepted()
    const refusal = { code: '20001', message: 'Invalid account_id' }
    const { processPayment, asked } = worker({ reserve: [{ kind: 'declined', ...refusal }] })

    await processPayment(payment.attempt)

    expect(await payment.read()).toMatchObject({ state: 'declined', ...refusal })
    expect(asked.submit).toBe(0)
  })

  it('is not needed when it is preferred, and not done when it is off', async () => {
    await payment.accepted()
    await worker({ reserve: [unanswered], submit: [approved] }, { reserve: 'preferred' }).processPayment(
      payment.attempt,
    )
    expect(await payment.state()).toBe('approved')

    payment = workshop.payment()
    await payment.accepted()
    await worker({ submit: [approved] }, { reserve: 'off' }).processPayment(payment.attempt)
    expect(await payment.state()).toBe('approved')
  })

  it('that was done without leaves an unclear answer unconfirmed: there is no id to ask by, nor to send again under', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ submit: [unanswered] }, { reserve: 'off' })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('unconfirmed')
    expect(asked).toEqual({ ...NOTHING, submit: 1 })
  })
})

describe('an id that was reserved ahead', () => {
  const [first, second, third, fourth] = [freshId(), freshId(), freshId(), freshId()] as const
  const give = (transactionId: string) => ({ kind: 'reserved', transactionId }) as const
  const approve = (transactionId: string) => ({ kind: 'approved', transactionId }) as const

  it('serves the next payment, which asks for none and is sent under it', async () => {
    const script = { reserve: [give(first), give(second), give(third)], submit: [approve(first), approve(second)] }
    const { processPayment, asked, submissions } = worker(script, { idsAhead: 1 })
    const payments = [workshop.payment(), workshop.payment()] as const
    for (const one of payments) await one.accepted()

    await processPayment(payments[0].attempt)
    expect(asked).toMatchObject({ reserve: 2, submit: 1 })
    await processPayment(payments[1].attempt)

    expect(submissions).toEqual([{ reservedId: first }, { reservedId: second }])
    expect(await payments[1].read()).toMatchObject({ state: 'approved', reserved: second })
    expect(asked.reserve).toBe(3)
  })

  it('and that another payment has is refused at the fence: charged once, under another id, and none is reserved ahead any more', async () => {
    const account = await workshop.provenAccount()
    const other = workshop.payment(account)
    await other.fenced('w0.a', third)
    const script = { reserve: [give(first), give(third), give(fourth)], submit: [approve(first), approve(fourth)] }
    const { processPayment, asked, submissions } = worker(script, { idsAhead: 1 })
    const payments = [workshop.payment(), workshop.payment(account)] as const
    for (const one of payments) await one.accepted()

    for (const one of payments) await processPayment(one.attempt)

    expect(submissions).toEqual([{ reservedId: first }, { reservedId: fourth }])
    expect(await payments[1].read()).toMatchObject({ state: 'approved', reserved: fourth })
    // One more was on its way in place of the one that was taken.
    expect(asked.reserve).toBe(4)
  })

  it('and whose payment is refused at the fence serves no other', async () => {
    const script = { reserve: [give(first), give(second), give(third)], submit: [approve(first), approve(third)] }
    const withdrawing: typeof ledger.fence = async (...args) => {
      if (args[1].reserved === second) await ledger.withdraw(args[0], { state: 'not_sent' })
      return ledger.fence(...args)
    }
    const over = { idsAhead: 1, ledger: { ...ledger, fence: withdrawing } }
    const { processPayment, submissions } = worker(script, over)
    const payments = [workshop.payment(), workshop.payment(), workshop.payment()] as const
    for (const one of payments) await one.accepted()

    for (const one of payments) await processPayment(one.attempt)

    expect(await Promise.all(payments.map((one) => one.state()))).toEqual(['approved', 'not_sent', 'approved'])
    expect(submissions).toEqual([{ reservedId: first }, { reservedId: third }])
  })

  it('is not forgotten at the fence by a lost answer: the same payment, the same id, once', async () => {
    const script = { reserve: [give(first), give(second), give(third)], submit: [approve(first), approve(second)] }
    let losses = 0
    const lossy: typeof ledger.fence = async (...args) => {
      const reply = await ledger.fence(...args)
      if (args[1].reserved !== second || losses > 0) return reply
      losses += 1
      throw new Error('Command timed out')
    }
    const { processPayment, submissions } = worker(script, { idsAhead: 1, ledger: { ...ledger, fence: lossy } })
    const payments = [workshop.payment(), workshop.payment()] as const
    for (const one of payments) await one.accepted()

    for (const one of payments) await processPayment(one.attempt)

    expect(losses).toBe(1)
    expect(submissions).toEqual([{ reservedId: first }, { reservedId: second }])
    expect(await payments[1].read()).toMatchObject({ state: 'approved', reserved: second })
  })
})

describe('a payment that PayConex does not know after its answer was lost', () => {
  const notFound = { kind: 'not_found' } as const

  it('is sent once more under its id once its account has proof that ids are honoured: one approval', async () => {
    payment = workshop.payment(await workshop.provenAccount())
    await payment.accepted()
    const script = { reserve: [reserved], submit: [unanswered, approved], lookUp: [notFound] }
    const { processPayment, submissions } = worker(script)

    await processPayment(payment.attempt)

    expect(await payment.read()).toMatchObject({ state: 'approved', id: RESERVED })
    expect(submissions).toEqual([{ reservedId: RESERVED }, { reservedId: RESERVED, isRepeat: true }])
  })

  it('is not sent once more without that proof, and is unconfirmed', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [unanswered], lookUp: [notFound] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('unconfirmed')
    expect(asked.submit).toBe(1)
  })
})

describe('a payment that could never be sent', () => {
  it('is not sent, at SEND_BY', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [unsent] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBeGreaterThan(1)
    expect(await payment.sealed()).toBeNull()
  })

  it('and that cannot be tried again is not sent, at once', async () => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [{ ...unsent, retry: false }] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBe(1)
  })
})

describe('a permission to send that too few replicas have written down', () => {
  it('is none: nothing is sent, and the ledger says so', async () => {
    await payment.accepted()
    const fence: typeof ledger.fence = async (...args) => {
      const reply = await ledger.fence(...args)
      return reply && { ...reply, verdict: 'refused' }
    }
    const { processPayment, asked } = worker({ reserve: [reserved] }, { ledger: { ...ledger, fence } })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
  })
})

describe('a payment whose worker died', () => {
  it('is taken over by whoever gets its job again, who is refused at the fence and asks first', async () => {
    await payment.orphaned()
    const { processPayment, asked } = worker({ reserve: [another], lookUp: [unanswered, approved] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
    expect(asked).toEqual({ ...NOTHING, reserve: 1, lookUp: 2 })
    expect(await payment.sealed()).toBeNull()
  })

  it.each<[string, Script, () => Promise<unknown>]>([
    ['finds nothing sealed', {}, () => sealed.shred(payment.attempt)],
    ['gets no id', { reserve: [unanswered] }, async () => undefined],
    ['is refused by PayConex', { reserve: [{ kind: 'declined', code: '20001', message: '' }] }, async () => undefined],
  ])('is taken over also by one who %s, and so may not withdraw it', async (_, script, given) => {
    await payment.orphaned()
    await given()
    const { processPayment, asked } = worker({ ...script, lookUp: [approved] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
    expect(asked).toMatchObject({ submit: 0, lookUp: 1 })
  })

  it('of an earlier attempt is not: the job is of that, and the payment is another’s', async () => {
    await payment.accepted()
    await payment.leave()
    await ledger.withdraw(payment.attempt, { state: 'not_sent' })
    await payment.admit()
    await ledger.fence({ ...payment.attempt, attempt: 2 }, { owner: 'dead.a', reserved: RESERVED })
    await ledger.dropLease('dead')
    const { processPayment, asked } = worker({ reserve: [another] })

    await processPayment(payment.attempt)

    expect(await payment.read()).toMatchObject({ state: 'sending', owner: 'dead.a' })
    expect(asked.lookUp).toBe(0)
  })

  it('is left alone while its worker lives', async () => {
    await payment.fenced('alive.a')
    const { processPayment, asked } = worker({ reserve: [another] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('sending')
    expect(asked.lookUp).toBe(0)
  })
})

describe('a step on the books whose answer is lost', () => {
  /** The ledger takes the step, and the first answer never arrives. */
  function losing(step: 'fence' | 'finish' | 'withdraw' | 'takeOver'): typeof ledger {
    let isLost = false
    const lossy = async (...args: never[]) => {
      const answer = await (ledger[step] as (...all: never[]) => Promise<unknown>)(...args)
      if (isLost) return answer
      isLost = true
      throw new Error('Command timed out')
    }
    return Object.assign(Object.create(ledger), { [step]: lossy })
  }

  it.each(['fence', 'finish'] as const)('is asked for again: %s', async (step) => {
    await payment.accepted()
    const { processPayment, asked } = worker({ reserve: [reserved], submit: [approved] }, { ledger: losing(step) })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
    expect(asked.submit).toBe(1)
    expect(await payment.sealed()).toBeNull()
  })

  it('is asked for again: fence, and when it is too late by then nothing was sent, and that is said', async () => {
    await payment.accepted()
    clock.pass(times.sendByMs - times.ledgerRetryMs)
    const { processPayment, asked } = worker({ reserve: [reserved] }, { ledger: losing('fence') })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(asked.submit).toBe(0)
  })

  it('is asked for again: withdraw, and the card data is gone', async () => {
    await payment.accepted()
    const { processPayment } = worker({ reserve: [unanswered] }, { ledger: losing('withdraw') })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('not_sent')
    expect(await payment.sealed()).toBeNull()
  })

  it('is asked for again: take-over, so that the payment does not stay with nobody', async () => {
    await payment.orphaned()
    const script = { reserve: [another], lookUp: [approved] }
    const { processPayment } = worker(script, { ledger: losing('takeOver') })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('approved')
  })

  it('does not shorten the schedule of an unconfirmed payment', async () => {
    await payment.unconfirmed()
    const { adopt } = worker({ lookUp: [unanswered] }, { ledger: losing('finish') })

    await adopt.askAgain(await payment.read())

    expect(await payment.read()).toMatchObject({ state: 'unconfirmed', asked: 1 })
  })
})

describe('an error of our own after the fence', () => {
  it('leaves the payment unconfirmed, to be looked up, and not in sending for ever', async () => {
    await payment.accepted()
    const { processPayment } = worker({ reserve: [reserved] })

    await processPayment(payment.attempt)

    expect(await payment.state()).toBe('unconfirmed')
  })
})

describe('a worker that is asked to end while it asks', () => {
  it('leaves the payment to another worker at once, while it still lives itself', async () => {
    await payment.orphaned()
    const ending = () => {
      one.drain()
      return unanswered
    }
    const one = worker({ reserve: [another], lookUp: [ending] })

    await one.processPayment(payment.attempt)

    expect(await payment.state()).toBe('sending')
    await ledger.renewLease('w1')
    const two = worker({ reserve: [another], lookUp: [approved] }, { owners: createOwners('w2') })
    await two.processPayment(payment.attempt)
    expect(await payment.state()).toBe('approved')
  })
})

describe('a payment that its own living worker has forgotten', () => {
  it('is taken over by that worker: nobody else could', async () => {
    await payment.fenced('w1.lost-token')
    const record = await payment.read()
    await worker({}, { owners: createOwners('w2') }).adopt.takeOver(record)
    expect(await payment.state()).toBe('sending')

    await worker({ lookUp: [approved] }).adopt.takeOver(record)

    expect(await payment.state()).toBe('approved')
  })

  it('is not one that it has in hand', async () => {
    const owners = createOwners('w1')
    await owners.lend(async (owner) => {
      await payment.fenced(owner)

      await worker({}, { owners }).adopt.takeOver(await payment.read())

      expect(await payment.read()).toMatchObject({ state: 'sending', owner })
    })
  })
})

describe('a record that this version cannot read', () => {
  it('does not hold the job: another worker may know it', async () => {
    await payment.accepted()
    await workshop.redis.hset(`{${workshop.shard}}:payment:${payment.key}`, FIELDS.state, 'future')

    await expect(worker({ reserve: [reserved] }).processPayment(payment.attempt)).rejects.toThrow('does not know')
  })
})
