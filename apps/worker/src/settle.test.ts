import type { Ledger, PaymentRecord } from '@pay/ledger'
import { describe, expect, it } from 'vitest'
import { createSettle, type Fenced, type Unclear } from './settle.ts'
import { credentials, quickClock, type Script, sale, scriptedPayconex, silentLog, times } from './testing.ts'

const RESERVED = '000000000001'
const record: PaymentRecord = {
  key: 'p_1',
  state: 'sending',
  attempt: 1,
  fingerprint: 'one',
  now: 1000,
  first: 1000,
  sent: 1000,
  asked: 0,
  reversals: 0,
  method: 'charge',
  account: credentials.accountId,
  custom_id: 'tx-1',
  owner: 'w1.a',
  reserved: RESERVED,
}
const approved = { kind: 'approved', transactionId: RESERVED } as const
const declined = { kind: 'declined', code: '30002', message: 'DECLINED' } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const notFound = { kind: 'not_found' } as const
const unsent = { kind: 'unsent', reason: 'ECONNREFUSED', retry: true } as const
const contradiction = { kind: 'contradiction', reason: 'approved with another amount' } as const
const APPROVED = { state: 'approved', id: RESERVED }
const DECLINED = { state: 'declined', code: '30002', message: 'DECLINED' }
const UNCONFIRMED = { state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] }

type Permission = () => Promise<unknown>

const unexpected: Permission = async () => {
  throw new Error('the ledger was not expected to be asked')
}

/** A settle whose clock moves only while it sleeps. `ledger` says what comes of asking for a fence or a repeat. */
function settling(script: Script, ledger: { fence?: Permission; repeat?: Permission } = {}) {
  const payconex = scriptedPayconex(script)
  const draining = new AbortController()
  const clock = quickClock()
  const started = clock.now()
  const passed = () => clock.now() - started
  const asked = { fence: 0, repeat: [] as number[] }
  const permissions = {
    fence: async () => {
      asked.fence += 1
      return (ledger.fence ?? unexpected)()
    },
    repeat: async () => {
      asked.repeat.push(passed())
      return (ledger.repeat ?? unexpected)()
    },
  } as unknown as Ledger
  const settle = createSettle({
    payconex: payconex.payconex,
    ledger: permissions,
    times,
    draining: draining.signal,
    clock,
    metrics: { ledgerFailed: () => undefined },
    log: silentLog,
  })
  const fenced = { record, owner: 'w1.a', transaction: sale, credentials, askedAt: started }
  const unclear = { record, owner: 'w1.a', readAt: started, sentBy: record.now, credentials }
  return {
    ...payconex,
    permissions: asked,
    clock,
    passed,
    send: (over: Partial<Fenced> = {}) => settle.send({ ...fenced, ...over }),
    ask: (over: Partial<Unclear> = {}) => settle.ask({ ...unclear, ...over }),
    askOnce: (over: Partial<Unclear> = {}) => settle.askOnce({ ...unclear, ...over }),
    drain: () => draining.abort(),
  }
}

const withoutReservedId = (({ reserved: _, ...rest }) => rest)(record)
const fencedAgain: Permission = async () => ({ verdict: 'fenced', record })
const permitted: Permission = async () => ({ verdict: 'permitted', record: { ...record, now: record.now + 9000 } })

describe('an answer', () => {
  it.each([
    ['yes is an approval under its id', approved, APPROVED],
    ['no is a decline with its code and message', declined, DECLINED],
    ['yes to something else goes to a person', contradiction, { state: 'review', remark: 'contradiction' }],
  ])('%s, and nothing more is asked', async (_, answer, entry) => {
    const { send, asked } = settling({ submit: [answer] })

    expect(await send()).toEqual(entry)
    expect(asked).toMatchObject({ submit: 1, lookUp: 0 })
  })
})

describe('a lost answer', () => {
  it('is looked up under its reserved id until that says more', async () => {
    const { send, asked, lookUps } = settling({ submit: [unanswered], lookUp: [unanswered, unanswered, approved] })

    expect(await send()).toEqual(APPROVED)

    expect(asked).toMatchObject({ submit: 1, lookUp: 3 })
    expect(lookUps).toMatchObject(Array(3).fill({ type: 'SALE', reservedId: RESERVED }))
  })

  it('that cannot be looked up is unconfirmed at ANSWER_BY, not before and not much later', async () => {
    const { send, asked, passed } = settling({ submit: [unanswered], lookUp: [unanswered] })

    expect(await send()).toEqual(UNCONFIRMED)

    expect(passed()).toBeGreaterThanOrEqual(times.answerByMs)
    expect(passed()).toBeLessThan(times.answerByMs + 6000)
    expect(asked.submit).toBe(1)
  })

  it('is looked up knowing whether PayConex can still be at work on it', async () => {
    const seenAt: number[] = []
    const looking = () => {
      seenAt.push(passed())
      return unanswered
    }
    const { send, passed, lookUps } = settling({ submit: [unanswered], lookUp: [looking] })

    await send()

    expect(lookUps.map(({ pastTimeout }) => pastTimeout)).toEqual(seenAt.map((ms) => ms >= times.payconexTimeoutMs))
    expect(new Set(lookUps.map(({ pastTimeout }) => pastTimeout))).toEqual(new Set([false, true]))
  })

  it('without a reserved id is unconfirmed at once: there is nothing to ask by', async () => {
    const { send, asked, passed } = settling({ submit: [unanswered] })

    expect(await send({ record: withoutReservedId })).toEqual(UNCONFIRMED)

    expect(asked).toMatchObject({ submit: 1, lookUp: 0 })
    expect(passed()).toBe(0)
  })

  it('of a payment whose credentials cannot be opened is unconfirmed at once: nobody may ask', async () => {
    const { ask, asked } = settling({})

    expect(await ask({ credentials: undefined })).toEqual(UNCONFIRMED)

    expect(asked.lookUp).toBe(0)
  })
})

describe('one look-up', () => {
  it('is what PayConex says', async () => {
    const { askOnce } = settling({ lookUp: [notFound] })

    expect(await askOnce()).toEqual(notFound)
  })

  it.each<[string, Partial<Unclear>]>([
    ['without a reserved id there is nothing to ask by', { record: withoutReservedId }],
    ['without credentials nobody may ask', { credentials: undefined }],
  ])('is no answer, and is not begun: %s', async (_, over) => {
    const { askOnce, asked } = settling({ lookUp: [approved] })

    expect(await askOnce(over)).toEqual({ kind: 'unanswered', reason: 'nothing to ask by' })

    expect(asked.lookUp).toBe(0)
  })
})

describe('a payment that PayConex does not know', () => {
  it('is sent once more under the same reserved id, and a yes to that is a yes', async () => {
    const script = { submit: [unanswered, approved], lookUp: [notFound] }
    const { send, submissions, permissions } = settling(script, { repeat: permitted })

    expect(await send()).toEqual(APPROVED)

    expect(submissions).toEqual([{ reservedId: RESERVED }, { reservedId: RESERVED, isRepeat: true }])
    expect(permissions.repeat).toHaveLength(1)
  })

  it('is not sent once more before REPEAT_AFTER, however often it was not found', async () => {
    const script = { submit: [unanswered, approved], lookUp: [notFound] }
    const { send, permissions, asked } = settling(script, { repeat: permitted })

    await send()

    expect(asked.lookUp).toBeGreaterThan(2)
    expect(permissions.repeat[0]).toBeGreaterThanOrEqual(times.repeatAfterMs)
  })

  it('counts REPEAT_AFTER from when its last send can have begun, which may be later than when it was read', async () => {
    const script = { submit: [approved], lookUp: [notFound] }
    const { ask, permissions } = settling(script, { repeat: permitted })

    await ask({ transaction: sale, sentBy: record.now + 6000 })

    expect(permissions.repeat[0]).toBeGreaterThanOrEqual(times.repeatAfterMs + 6000)
  })

  it('is not sent once more after one look-up: that is an answer of a moment', async () => {
    const script = { submit: [unanswered], lookUp: [notFound, unanswered] }
    const { send, asked, permissions } = settling(script)

    expect(await send()).toEqual(UNCONFIRMED)

    expect(asked.submit).toBe(1)
    expect(permissions.repeat).toEqual([])
  })

  it('is not sent once more for answers that say nothing', async () => {
    const { send, asked, permissions } = settling({ submit: [unanswered], lookUp: [unanswered] })

    expect(await send()).toEqual(UNCONFIRMED)

    expect(asked.submit).toBe(1)
    expect(permissions.repeat).toEqual([])
  })

  it('is sent once more after two look-ups that others came between', async () => {
    const script = { submit: [unanswered, approved], lookUp: [notFound, unanswered, notFound, unanswered] }
    const { send } = settling(script, { repeat: permitted })

    expect(await send()).toEqual(APPROVED)
  })

  it('is sent once more one time only, and then asked about until ANSWER_BY', async () => {
    const script = { submit: [unanswered], lookUp: [notFound] }
    const { send, asked, permissions, passed } = settling(script, { repeat: permitted })

    expect(await send()).toEqual(UNCONFIRMED)

    expect(asked.submit).toBe(2)
    expect(permissions.repeat).toHaveLength(1)
    expect(passed()).toBeGreaterThanOrEqual(times.answerByMs)
  })

  it.each<[string, Permission]>([
    ['refuses', async () => ({ verdict: 'refused', record })],
    ['has no record of it any more', async () => undefined],
    ['does not answer', async () => Promise.reject(new Error('away'))],
  ])('is not sent once more when the ledger %s: it is asked about on', async (_, repeat) => {
    const script = { submit: [unanswered], lookUp: [notFound, notFound, notFound, notFound, notFound, approved] }
    const { send, asked, permissions } = settling(script, { repeat })

    expect(await send()).toEqual(APPROVED)

    expect(asked.submit).toBe(1)
    expect(permissions.repeat).toHaveLength(1)
  })

  it('is not sent once more when the permission came so late that it may not hold any more', async () => {
    const slowly = async () => {
      clock.pass(times.sendWindowMs + 1)
      return permitted()
    }
    const { send, asked, clock } = settling({ submit: [unanswered], lookUp: [notFound] }, { repeat: slowly })

    expect(await send()).toEqual(UNCONFIRMED)

    expect(asked.submit).toBe(1)
  })

  it('is not sent once more by whoever does not know what was sent', async () => {
    const { ask, asked } = settling({ lookUp: [notFound] })

    expect(await ask()).toEqual(UNCONFIRMED)

    expect(asked.submit).toBe(0)
  })
})

describe('the answer to a repeat', () => {
  /** Not found until it is sent once more; what is found after that is the test's to say. */
  function repeating(answer: Script['submit'], afterwards: NonNullable<Script['lookUp']>) {
    const found = [...afterwards]
    const lookUp = () =>
      settled.asked.submit < 2 ? notFound : ((found.length > 1 ? found.shift() : found[0]) as never)
    const settled = settling({ submit: [unanswered, ...(answer ?? [])], lookUp: [lookUp] }, { repeat: permitted })
    return settled
  }

  it('yes to something else goes to a person', async () => {
    expect(await repeating([contradiction], []).send()).toEqual({ state: 'review', remark: 'contradiction' })
  })

  it('no is a no once a look-up says it, too', async () => {
    const { send, asked } = repeating([declined], [unanswered, declined])

    expect(await send()).toEqual(DECLINED)

    expect(asked.submit).toBe(2)
  })

  it('no is not believed by itself: what was sent first may have been approved', async () => {
    expect(await repeating([declined], [approved]).send()).toEqual(APPROVED)
  })

  it('no that no look-up confirms stays unconfirmed', async () => {
    expect(await repeating([declined], [unanswered]).send()).toEqual(UNCONFIRMED)
  })

  it('no does not end the time in which PayConex can be at work on what was sent first', async () => {
    const { send, lookUps, permissions } = repeating([declined], [unanswered])

    await send()

    const repeatedAfter = permissions.repeat[0] ?? 0
    const stillAtWork = lookUps.filter(({ pastTimeout }) => !pastTimeout).length
    expect(repeatedAfter).toBeLessThan(times.payconexTimeoutMs / 2)
    expect(stillAtWork).toBeGreaterThan(5)
    expect(lookUps.at(-1)?.pastTimeout).toBe(true)
  })

  it('that is lost begins that time anew', async () => {
    const askedAt: number[] = []
    const looking = () => {
      askedAt.push(passed())
      return notFound
    }
    const script = { submit: [unanswered], lookUp: [looking] }
    const { send, lookUps, passed } = settling(script, { repeat: permitted })

    await send()

    // As `permitted` has it, it was sent once more after 9 s.
    const since = 9000 + times.payconexTimeoutMs
    expect(askedAt.filter((ms) => ms > times.payconexTimeoutMs && ms < since)).not.toEqual([])
    expect(lookUps.map(({ pastTimeout }) => pastTimeout)).toEqual(askedAt.map((ms) => ms >= since))
  })

  it('that was never sent after all changes nothing', async () => {
    expect(await repeating([unsent], [approved]).send()).toEqual(APPROVED)
  })
})

describe('a worker that is asked to end', () => {
  it('stops asking, and says nothing: another worker will', async () => {
    const ending = () => {
      drain()
      return unanswered
    }
    const { send, drain, asked } = settling({ submit: [unanswered], lookUp: [unanswered, ending] })

    expect(await send()).toBeUndefined()

    expect(asked.lookUp).toBe(2)
  })

  it('believes an answer that comes with the last look-up', async () => {
    const ending = () => {
      drain()
      return approved
    }
    const { send, drain } = settling({ submit: [unanswered], lookUp: [ending] })

    expect(await send()).toEqual(APPROVED)
  })

  it('hears out what it has sent', async () => {
    const { send, drain } = settling({ submit: [approved] })
    drain()

    expect(await send()).toEqual(APPROVED)
  })

  it('asks nothing about what it has sent and not heard', async () => {
    const { send, drain, asked } = settling({ submit: [unanswered] })
    drain()

    expect(await send()).toBeUndefined()

    expect(asked.lookUp).toBe(0)
  })
})

describe('a request that never left', () => {
  it('is sent again', async () => {
    const { send, asked } = settling({ submit: [unsent, unsent, approved] }, { fence: fencedAgain })

    expect(await send()).toEqual(APPROVED)

    expect(asked).toMatchObject({ submit: 3, lookUp: 0 })
  })

  it('is not sent again once the fence refuses, and then provably was not sent', async () => {
    let fences = 0
    const fence = async () => ({ verdict: ++fences < 3 ? 'fenced' : 'refused', record })
    const { send } = settling({ submit: [unsent] }, { fence })

    expect(await send()).toEqual({ state: 'not_sent' })

    expect(fences).toBe(3)
  })

  it('and would not the next time either is not sent, at once', async () => {
    const { send, asked, passed } = settling({ submit: [{ ...unsent, retry: false }] })

    expect(await send()).toEqual({ state: 'not_sent' })

    expect(asked.submit).toBe(1)
    expect(passed()).toBe(0)
  })
})

describe('a send that was delayed after the fence', () => {
  const longAgo = 1_000_000 - times.sendWindowMs - 1

  it('asks the fence again first', async () => {
    const { send, permissions } = settling({ submit: [approved] }, { fence: fencedAgain })

    expect(await send({ askedAt: longAgo })).toEqual(APPROVED)

    expect(permissions.fence).toBe(1)
  })

  it.each<[string, Permission]>([
    ['refuses', async () => ({ verdict: 'refused', record })],
    ['does not answer', async () => Promise.reject(new Error('away'))],
  ])('sends nothing when the ledger %s', async (_, fence) => {
    const { send, asked } = settling({}, { fence })

    expect(await send({ askedAt: longAgo })).toEqual({ state: 'not_sent' })

    expect(asked.submit).toBe(0)
  })
})
