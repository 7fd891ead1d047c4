import type { Ledger, PaymentRecord } from '@pay/ledger'
import { describe, expect, it } from 'vitest'
import { createSettle } from './settle.ts'
import { credentials, sale, scriptedPayconex, silentLog, times } from './testing.ts'

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
  method: 'charge',
  account: credentials.accountId,
  custom_id: 'tx-1',
  owner: 'w1.a',
  reserved: RESERVED,
}
const approved = { kind: 'approved', transactionId: RESERVED } as const
const declined = { kind: 'declined', code: '30002', message: 'DECLINED' } as const
const unanswered = { kind: 'unanswered', reason: 'timeout' } as const
const unsent = { kind: 'unsent', reason: 'ECONNREFUSED' } as const
const contradiction = { kind: 'contradiction', reason: 'approved with another amount' } as const

function settling(script: Parameters<typeof scriptedPayconex>[0], fence: () => Promise<unknown> = unexpected) {
  const { payconex, asked, pastTimeout } = scriptedPayconex(script)
  const draining = new AbortController()
  const now = () => performance.now()
  const ledger = { fence } as unknown as Ledger
  const settle = createSettle({ payconex, ledger, times, draining: draining.signal, now, log: silentLog })
  const send = (askedAt = now(), over: Partial<PaymentRecord> = {}) =>
    settle.send({ record: { ...record, ...over }, owner: 'w1.a', transaction: sale, credentials, askedAt })
  return { send, settle, asked, pastTimeout, drain: () => draining.abort() }
}

async function unexpected(): Promise<never> {
  throw new Error('the fence was not expected to be asked')
}

const withoutReservedId = (({ reserved: _, ...rest }) => rest)(record)

describe('an answer', () => {
  it.each([
    ['yes is an approval under its id', approved, { state: 'approved', id: RESERVED }],
    ['no is a decline with its code and message', declined, { state: 'declined', code: '30002', message: 'DECLINED' }],
    ['yes to something else goes to a person', contradiction, { state: 'review' }],
  ])('%s, and nothing more is asked', async (_, answer, entry) => {
    const { send, asked } = settling({ submit: [answer] })

    expect(await send()).toEqual(entry)
    expect(asked).toEqual({ submit: 1, lookUp: 0, reserve: 0 })
  })
})

describe('a lost answer', () => {
  it('is looked up, and never sent again', async () => {
    const { send, asked } = settling({ submit: [unanswered], lookUp: [unanswered, unanswered, approved] })

    expect(await send()).toEqual({ state: 'approved', id: RESERVED })
    expect(asked).toMatchObject({ submit: 1, lookUp: 3 })
  })

  it('that cannot be looked up is unconfirmed at ANSWER_BY, not before and not much later', async () => {
    const { send, asked, pastTimeout } = settling({ submit: [unanswered], lookUp: [unanswered] })
    const started = performance.now()

    const entry = await send()

    const took = performance.now() - started
    expect(entry).toEqual({ state: 'unconfirmed', dueMs: times.unconfirmedScheduleMs[0] })
    expect(took).toBeGreaterThan(times.answerByMs * 0.9)
    expect(took).toBeLessThan(times.answerByMs * 2)
    expect(asked.submit).toBe(1)
    expect(pastTimeout.at(0)).toBe(false)
    expect(pastTimeout.at(-1)).toBe(true)
  })

  it('without a reserved id is unconfirmed at once: there is nothing to ask by', async () => {
    const { settle, asked } = settling({ submit: [unanswered] })

    const entry = await settle.send({
      record: withoutReservedId,
      owner: 'w1.a',
      transaction: sale,
      credentials,
      askedAt: performance.now(),
    })

    expect(entry).toMatchObject({ state: 'unconfirmed' })
    expect(asked).toMatchObject({ submit: 1, lookUp: 0 })
  })
})

describe('a worker that is asked to end', () => {
  it('stops asking, and says nothing: another worker will', async () => {
    const { send, drain, asked } = settling({ submit: [unanswered], lookUp: [unanswered] })
    const sending = send()
    await expect.poll(() => asked.lookUp).toBeGreaterThan(1)

    drain()

    expect(await sending).toBeUndefined()
  })

  it('hears out what it has sent', async () => {
    const { send, drain } = settling({ submit: [approved] })
    drain()

    expect(await send()).toEqual({ state: 'approved', id: RESERVED })
  })
})

describe('a request that never left', () => {
  it('is sent again', async () => {
    const fence = async () => ({ verdict: 'fenced', record })
    const { send, asked } = settling({ submit: [unsent, unsent, approved] }, fence)

    expect(await send()).toEqual({ state: 'approved', id: RESERVED })
    expect(asked).toMatchObject({ submit: 3, lookUp: 0 })
  })

  it('is not sent again once the fence refuses, and then provably was not sent', async () => {
    let fences = 0
    const fence = async () => ({ verdict: ++fences < 3 ? 'fenced' : 'refused', record })
    const { send } = settling({ submit: [unsent] }, fence)

    expect(await send()).toEqual({ state: 'not_sent' })
    expect(fences).toBe(3)
  })
})

describe('a send that was delayed after the fence', () => {
  const longAgo = () => performance.now() - times.sendWindowMs - 1

  it('asks the fence again first', async () => {
    let fences = 0
    const fence = async () => {
      fences += 1
      return { verdict: 'fenced', record }
    }
    const { send } = settling({ submit: [approved] }, fence)

    expect(await send(longAgo())).toMatchObject({ state: 'approved' })
    expect(fences).toBe(1)
  })

  it.each([
    ['refuses', async () => ({ verdict: 'refused', record })],
    ['does not answer', async () => Promise.reject(new Error('away'))],
  ])('sends nothing when the ledger %s', async (_, fence) => {
    const { send, asked } = settling({}, fence)

    expect(await send(longAgo())).toEqual({ state: 'not_sent' })
    expect(asked.submit).toBe(0)
  })
})
