import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { createLedger } from './ledger.ts'
import type { PaymentRecord } from './record.ts'
import { openReplyChannel } from './reply-channel.ts'

const SEND_BY = 22_000
// Its own keys, so that files run side by side on one Redis.
const shard = randomUUID()
const redis = new Redis(inject('ledgerRedisUrl'))
const subscriber = new Redis(inject('ledgerRedisUrl'))
let clock = 1_000_000
const ledger = createLedger({ redis, shard, sendByMs: SEND_BY, leaseMs: 5000, retentionMs: 60_000, now: () => clock })
let key = ''
const admission = (changes = {}) => ({
  key,
  fingerprint: 'one',
  gateway: 'g1',
  method: 'charge' as const,
  account: '120615000001',
  custom_id: 'tx-1',
  amount: '10.00',
  sealedCredentials: 'sealed',
  ...changes,
})
const first = () => ({ key, attempt: 1 })
const owned = { owner: 'w1.a', reserved: '000000000001' }
const admitAndFence = async () => {
  await ledger.admit(admission())
  await ledger.fence(first(), owned)
}

beforeEach(() => {
  key = `p_${randomUUID()}`
})

afterAll(() => {
  redis.disconnect()
  subscriber.disconnect()
})

describe('admit', () => {
  it('records a new payment as accepted, with its deadlines counted from now', async () => {
    const { verdict, record } = await ledger.admit(admission())

    expect(verdict).toBe('new')
    expect(record).toMatchObject({ key, state: 'accepted', attempt: 1, first: clock, now: clock, amount: '10.00' })
  })

  it('lets the same request join while the payment is under way', async () => {
    await ledger.admit(admission())

    expect((await ledger.admit(admission({ gateway: 'g2' }))).verdict).toBe('join')
    await ledger.fence(first(), owned)
    expect((await ledger.admit(admission())).verdict).toBe('join')
  })

  it('refuses another request under the same id while the payment is under way or approved', async () => {
    await ledger.admit(admission())
    expect((await ledger.admit(admission({ fingerprint: 'two' }))).verdict).toBe('reused')

    await ledger.fence(first(), owned)
    await ledger.finish(first(), owned.owner, { state: 'approved', id: '000000000001' })
    expect((await ledger.admit(admission({ fingerprint: 'two' }))).verdict).toBe('reused')
  })

  it('replays an approval, a decline and an unconfirmed payment to the same request', async () => {
    await admitAndFence()
    await ledger.finish(first(), owned.owner, { state: 'unconfirmed', dueMs: 2000 })
    expect(await ledger.admit(admission())).toMatchObject({ verdict: 'replay', record: { state: 'unconfirmed' } })

    await ledger.finish(first(), owned.owner, { state: 'approved', id: '000000000001' })
    expect(await ledger.admit(admission())).toMatchObject({ verdict: 'replay', record: { id: '000000000001' } })
  })

  it('begins a new attempt after not_sent, and after a decline only for another request', async () => {
    await ledger.admit(admission())
    await ledger.withdraw(first(), { state: 'not_sent' })
    expect(await ledger.admit(admission())).toMatchObject({ verdict: 'new', record: { attempt: 2 } })

    await ledger.fence({ key, attempt: 2 }, owned)
    await ledger.finish({ key, attempt: 2 }, owned.owner, { state: 'declined', code: '30002', message: 'DECLINED' })
    expect(await ledger.admit(admission())).toMatchObject({ verdict: 'replay', record: { code: '30002' } })
    expect(await ledger.admit(admission({ fingerprint: 'two' }))).toMatchObject({
      verdict: 'new',
      record: { attempt: 3 },
    })
  })

  it('begins a new attempt when the accepted one ran out unnoticed', async () => {
    await ledger.admit(admission())
    clock += SEND_BY

    expect(await ledger.admit(admission())).toMatchObject({ verdict: 'new', record: { attempt: 2, first: clock } })
  })
})

describe('the fence', () => {
  it('lets exactly one of gateway and worker win', async () => {
    await ledger.admit(admission())

    expect((await ledger.withdraw(first(), { state: 'not_sent' }))?.verdict).toBe('withdrawn')
    expect((await ledger.fence(first(), owned))?.verdict).toBe('refused')

    await ledger.admit(admission())
    expect((await ledger.fence({ key, attempt: 2 }, owned))?.verdict).toBe('fenced')
    expect((await ledger.withdraw({ key, attempt: 2 }, { state: 'not_sent' }))?.verdict).toBe('refused')
  })

  it('refuses the job of an earlier attempt', async () => {
    await ledger.admit(admission())
    await ledger.withdraw(first(), { state: 'not_sent' })
    await ledger.admit(admission())

    expect((await ledger.fence(first(), owned))?.verdict).toBe('refused')
  })

  it.each([
    ['at SEND_BY', SEND_BY],
    ['when the clock went backwards', -1],
  ])('refuses %s', async (_, ms) => {
    await ledger.admit(admission())
    clock += ms

    expect((await ledger.fence(first(), owned))?.verdict).toBe('refused')
  })

  it('may be asked again by its owner, and by nobody else', async () => {
    await admitAndFence()

    expect((await ledger.fence(first(), owned))?.verdict).toBe('fenced')
    expect((await ledger.fence(first(), { ...owned, owner: 'w2.b' }))?.verdict).toBe('refused')
    expect((await ledger.fence(first(), { ...owned, reserved: '000000000002' }))?.verdict).toBe('refused')
  })
})

describe('finish', () => {
  it('is for the owner of the token, once', async () => {
    await admitAndFence()
    const approval = { state: 'approved', id: '000000000001' } as const

    expect((await ledger.finish(first(), 'w2.b', { state: 'declined', code: '1' }))?.verdict).toBe('refused')
    expect((await ledger.finish(first(), owned.owner, approval))?.verdict).toBe('finished')
    expect((await ledger.finish(first(), owned.owner, approval))?.verdict).toBe('finished')
    expect((await ledger.finish(first(), owned.owner, { state: 'declined', code: '1' }))?.verdict).toBe('refused')
  })

  it('drops the sealed credentials and expires only when the payment is over', async () => {
    await admitAndFence()
    await ledger.finish(first(), owned.owner, { state: 'unconfirmed', dueMs: 2000 })
    expect(await redis.hget(`{${shard}}:payment:${key}`, 'credentials')).toBe('sealed')
    expect(await redis.pttl(`{${shard}}:payment:${key}`)).toBe(-1)

    await ledger.finish(first(), owned.owner, { state: 'declined', code: '1' })
    expect(await redis.hget(`{${shard}}:payment:${key}`, 'credentials')).toBeNull()
    expect(await redis.pttl(`{${shard}}:payment:${key}`)).toBeGreaterThan(0)
    expect(await redis.zscore(`{${shard}}:open`, key)).toBeNull()
  })

  it('refuses what cannot be: an approval without an id', async () => {
    await admitAndFence()

    await expect(ledger.finish(first(), owned.owner, { state: 'approved' })).rejects.toThrow('without an id')
  })

  it('wakes every gateway that waits, with the record', async () => {
    const heard: PaymentRecord[] = []
    const gateway = randomUUID()
    await openReplyChannel({ subscriber, gateway, onReply: (record) => heard.push(record), onOpen: () => undefined })
    await ledger.admit(admission())
    await ledger.admit(admission({ gateway }))

    await ledger.fence(first(), owned)
    await ledger.finish(first(), owned.owner, { state: 'approved', id: '000000000001' })

    await expect.poll(() => heard).toMatchObject([{ key, state: 'approved', id: '000000000001' }])
  })
})

describe('take over', () => {
  const silence = () => redis.del(`{${shard}}:lease:w1`)
  const record = async () => (await ledger.read(key)) as PaymentRecord

  it('is refused while the owner lives', async () => {
    await admitAndFence()

    expect((await ledger.takeOver(await record(), 'w2.b'))?.verdict).toBe('refused')
  })

  it('gives a silent owner’s payment to another worker, and the old owner can write nothing more', async () => {
    await admitAndFence()
    await silence()

    const taken = await ledger.takeOver(await record(), 'w2.b')

    expect(taken).toMatchObject({ verdict: 'taken', record: { reserved: owned.reserved }, sealedCredentials: 'sealed' })
    expect((await ledger.finish(first(), owned.owner, { state: 'declined', code: '1' }))?.verdict).toBe('refused')
    expect((await ledger.fence(first(), owned))?.verdict).toBe('refused')
  })

  it('may be asked for again by the new owner, whose first answer may have been lost', async () => {
    await admitAndFence()
    await silence()
    const seen = await record()
    await ledger.takeOver(seen, 'w2.b')

    expect(await ledger.takeOver(seen, 'w2.b')).toMatchObject({ verdict: 'taken', record: { owner: 'w2.b' } })
  })

  it('lets one of two workers win', async () => {
    await admitAndFence()
    await silence()
    const seen = await record()

    expect((await ledger.takeOver(seen, 'w2.b'))?.verdict).toBe('taken')
    expect((await ledger.takeOver(seen, 'w3.c'))?.verdict).toBe('refused')
  })
})

describe('the sweeper’s list', () => {
  it('names a payment when it is due, to the one worker that holds the lease', async () => {
    await redis.del(`{${shard}}:open`, `{${shard}}:sweeper`)
    await ledger.admit(admission())
    expect(await ledger.due('w1', 10)).toEqual([])
    clock += SEND_BY

    expect(await ledger.due('w1', 10)).toEqual([key])
    expect(await ledger.due('w2', 10)).toEqual([])
    await ledger.postpone(key, 1000)
    expect(await ledger.due('w1', 10)).toEqual([])
  })

  it('keeps the time that was given to a payment when it was looked at', async () => {
    await redis.del(`{${shard}}:open`, `{${shard}}:sweeper`)
    await admitAndFence()
    await ledger.finish(first(), owned.owner, { state: 'unconfirmed', dueMs: 60_000 })

    await ledger.postpone(key, 1000)

    expect(Number(await redis.zscore(`{${shard}}:open`, key))).toBe(clock + 60_000)
  })

  it('forgets a payment that has no record any more', async () => {
    await redis.zadd(`{${shard}}:open`, 1, key)

    await ledger.postpone(key, 1000)

    expect(await redis.zscore(`{${shard}}:open`, key)).toBeNull()
  })
})
