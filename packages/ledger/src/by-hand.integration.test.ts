import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Resolution } from './ledger.ts'
import type { State } from './record.ts'
import { testTimes } from './testing.ts'
import { ENTRY, LAST_LOOK, OWNER, openBench, type Payment, RESERVED, TOKEN, UNCONFIRMED } from './testing-payment.ts'

/** What a person may do to a payment. */
const bench = await openBench(inject('ledgerRedisUrl'))
const { absenceMs, listeningMs, retentionMs } = testTimes

const YES: Resolution = { state: 'approved', id: RESERVED }
const NO: Resolution = { state: 'declined', code: '30002', message: 'DECLINED' }

afterAll(bench.close)

async function reached(state: State, waitMs = absenceMs): Promise<Payment> {
  const payment = bench.another()
  await payment.reach(state)
  bench.pass(waitMs)
  return payment
}

/** What happens between a person's look at a payment and their word. */
async function whatWasSeen(payment: Payment, meanwhile: () => Promise<unknown>) {
  const seen = await payment.record()
  await meanwhile()
  return { seen }
}

describe.each(['unconfirmed', 'review'] as const)('a payment that is %s', (from) => {
  it('is approved by a person who names PayConex’ id: remembered for its time, and heard of', async () => {
    const payment = await reached(from)

    const reply = await payment.resolve({ ...YES, id: '000000000777' })

    expect(reply).toMatchObject({ verdict: 'resolved', record: { state: 'approved', id: '000000000777', heard: true } })
    expect(await payment.record()).toMatchObject({ state: 'approved', id: '000000000777', heard: true })
    expect(await payment.dueAt()).toBeNull()
    expect(await payment.ttl()).toBeGreaterThan(retentionMs / 2)
    // Nobody was told that nothing was charged.
    expect(await payment.raw()).not.toHaveProperty('d')
    expect(await payment.raw()).not.toHaveProperty('credentials')
  })

  it('is declined by a person: the same request hears so, and another one begins anew', async () => {
    const payment = await reached(from)
    const { fingerprint } = payment.admission

    expect(await payment.resolve(NO)).toMatchObject({
      verdict: 'resolved',
      record: { state: 'declined', code: '30002' },
    })

    expect(await payment.admit({ fingerprint, seat: 'g1:2' })).toMatchObject({ verdict: 'replay' })
    expect(await payment.admit({ fingerprint: 'two', seat: 'g1:3' })).toMatchObject({
      verdict: 'new',
      record: { attempt: 2 },
    })
  })

  it('is not said to be declined while PayConex may still be at work on it', async () => {
    const payment = await reached(from, absenceMs - 1)
    const before = await payment.raw()

    expect(await payment.resolve(NO)).toMatchObject({ verdict: 'early', record: { state: from } })
    expect(await payment.raw()).toEqual(before)

    bench.pass(1)
    expect(await payment.resolve(NO)).toMatchObject({ verdict: 'resolved' })
  })

  it('may be said to be approved at once', async () => {
    const payment = await reached(from, 0)

    expect(await payment.resolve(YES)).toMatchObject({ verdict: 'resolved' })
  })

  it('is not said to be declined by a clock that went back', async () => {
    const payment = await reached(from, -1)

    expect(await payment.resolve(NO)).toMatchObject({ verdict: 'early' })
  })

  it('does not get the id of another payment', async () => {
    const payment = await reached(from)
    const other = bench.another({ account: payment.admission.account })
    await other.reach('approved')

    expect(await payment.resolve({ ...YES, id: other.ids.reserved })).toMatchObject({ verdict: 'used' })
    expect(await payment.state()).toBe(from)
    expect(await payment.audited()).toEqual([])
  })

  it.each([
    ['became another attempt', { attempt: 2 }],
    ['changed its state', { state: 'sending' }],
    ['got another owner', { owner: 'w9.z' }],
  ] as const)('stays as it is when it %s since the person looked', async (_, changes) => {
    const payment = await reached(from)
    const before = await payment.raw()
    const seen = { ...(await payment.record()), ...changes }

    expect(await payment.resolve(YES, { seen })).toMatchObject({ verdict: 'refused', record: { state: from } })
    expect(await payment.raw()).toEqual(before)
  })

  it('is resolved once: whoever says otherwise afterwards changes nothing, and only the same act hears the same', async () => {
    const payment = await reached(from)
    const { seen } = await whatWasSeen(payment, () => payment.resolve(YES))

    expect(await payment.resolve(YES, { seen })).toMatchObject({ verdict: 'resolved' })
    expect(await payment.resolve(YES, { seen, token: 'token-of-another' })).toMatchObject({ verdict: 'refused' })
    expect(await payment.resolve(NO, { seen })).toMatchObject({ verdict: 'refused', record: { state: 'approved' } })
    expect(await payment.audited()).toHaveLength(1)
  })

  it('says who resolved it, when and why', async () => {
    const payment = await reached(from)
    const at = String(bench.clock.ms)

    await payment.resolve(YES)

    const entry = { at, payment: payment.key, attempt: '1', from, to: 'approved', ...ENTRY }
    expect(await payment.audited()).toEqual([entry])
  })

  it('needs an id to be approved, and becomes nothing else', async () => {
    const payment = await reached(from)
    const before = await payment.raw()

    await expect(payment.resolve({ state: 'approved', id: '' })).rejects.toThrow('not known to be approved')
    await expect(payment.resolve({ ...NO, state: 'unconfirmed' as 'declined' })).rejects.toThrow(
      /yes or no|cannot become/,
    )
    await expect(payment.resolve({ ...NO, state: 'not_sent' as 'declined' })).rejects.toThrow(/yes or no|cannot become/)

    expect(await payment.raw()).toEqual(before)
    expect(await payment.audited()).toEqual([])
  })
})

it('a payment whose reversal was refused is not approved under the id of that reversal', async () => {
  const payment = await reached('reversing')
  await payment.finish({ state: 'review' })
  const { reversal } = payment.ids

  expect(await payment.resolve({ ...YES, id: reversal })).toMatchObject({
    verdict: 'used',
    record: { state: 'review' },
  })
  expect(await payment.audited()).toEqual([])
  expect(await payment.resolve({ ...YES, id: payment.ids.reserved })).toMatchObject({ verdict: 'resolved' })
})

describe('a person’s word on an unconfirmed payment', () => {
  it('reaches the gateways that still wait, and whoever heard a no does not begin anew with the same', async () => {
    const payment = await reached('unconfirmed')
    const heard: string[] = []
    const subscriber = bench.redis.duplicate()
    await subscriber.subscribe('reply:g1')
    subscriber.on('message', (_, text) => void heard.push(text))

    await payment.resolve(NO)

    await expect.poll(() => heard.find((text) => text.includes(payment.key))).toContain('"declined"')
    expect(await payment.raw()).toMatchObject({ d: '=' })
    subscriber.disconnect()
  })

  it('is the last one: a worker that was asking about it meanwhile writes nothing', async () => {
    const payment = await reached('unconfirmed')
    await payment.resolve(NO)

    expect(await payment.finish({ state: 'approved', id: RESERVED }, OWNER)).toMatchObject({ verdict: 'refused' })
    expect(await payment.state()).toBe('declined')
  })
})

describe('a payment that a person asks about', () => {
  it.each(['unconfirmed', 'reversing'] as const)(
    'is due at once when it is %s, and this look counts for nothing',
    async (state) => {
      const payment = await reached(state, 0)
      const { asked } = await payment.record()

      expect(await payment.askNow()).toMatchObject({ verdict: 'due', record: { state } })

      expect(await payment.dueAt()).toBe(bench.clock.ms)
      expect(await payment.record()).toMatchObject({ state, asked: asked - 1 })
      expect(await payment.raw()).toHaveProperty('credentials', 'sealed')
      expect(await payment.audited()).toEqual([expect.objectContaining({ from: state, to: state })])
    },
  )

  it.each(['unconfirmed', 'reversing'] as const)(
    'is at most at the beginning of its schedule, however often it is asked about before anybody looks: %s',
    async (state) => {
      const payment = await reached(state, 0)

      for (const token of ['one', 'two', 'three']) await payment.askNow('', { token })

      expect(await payment.record()).toMatchObject({ state, asked: -1 })
    },
  )

  it('has one look less behind it, wherever it is in its schedule', async () => {
    const payment = await reached('unconfirmed', 0)
    await payment.finish({ ...UNCONFIRMED, asked: 5 })

    await payment.askNow()

    expect(await payment.record()).toMatchObject({ asked: 4 })
  })

  it('gets the credentials that the person brings', async () => {
    const payment = await reached('unconfirmed', 0)

    await payment.askNow('sealed anew')

    expect(await payment.raw()).toHaveProperty('credentials', 'sealed anew')
  })

  it('is unconfirmed once more when it was for review, with credentials, and with one look left', async () => {
    const payment = await reached('review')

    expect(await payment.askNow('sealed anew')).toMatchObject({ verdict: 'due', record: { state: 'unconfirmed' } })

    expect(await payment.record()).toMatchObject({ state: 'unconfirmed', asked: LAST_LOOK - 1 })
    expect(await payment.raw()).toHaveProperty('credentials', 'sealed anew')
    expect(await payment.dueAt()).toBe(bench.clock.ms)
    expect(await payment.audited()).toEqual([expect.objectContaining({ from: 'review', to: 'unconfirmed' })])
    await payment.takeOver('w2.b')
    await payment.finish({ state: 'review', said: 'unanswered' }, 'w2.b')
    expect(await payment.record()).toMatchObject({ state: 'review', said: { at: bench.clock.ms, what: 'unanswered' } })
    expect(await payment.raw()).not.toHaveProperty('credentials')
  })

  it('cannot be asked about without credentials when it is for review', async () => {
    const payment = await reached('review')
    const before = await payment.raw()

    expect(await payment.askNow()).toMatchObject({ verdict: 'refused' })
    expect(await payment.raw()).toEqual(before)
  })

  it('stays for review when PayConex did something else than was asked: its yes would prove nothing', async () => {
    const payment = await reached('sending')
    await payment.finish({ state: 'review', remark: 'contradiction' })
    const before = await payment.raw()

    expect(await payment.askNow('sealed anew')).toMatchObject({ verdict: 'contradicted', record: { state: 'review' } })
    expect(await payment.raw()).toEqual(before)
  })

  it('stays for review when there is no id to ask by', async () => {
    const payment = bench.another()
    await payment.admit()
    await payment.fence(OWNER, '')
    await payment.finish({ state: 'review' })

    expect(await payment.askNow('sealed anew')).toMatchObject({ verdict: 'refused', record: { state: 'review' } })
  })

  it('stays for review when its reversal was refused', async () => {
    const payment = await reached('reversing')
    await payment.finish({ state: 'review' })

    expect(await payment.askNow('sealed anew')).toMatchObject({ verdict: 'refused', record: { state: 'review' } })
  })

  it.each([
    ['became another attempt', { attempt: 2 }],
    ['changed its state', { state: 'sending' }],
    ['got another owner', { owner: 'w9.z' }],
  ] as const)('stays as it is when it %s since the person looked', async (_, changes) => {
    const payment = await reached('unconfirmed')
    const before = await payment.raw()
    const seen = { ...(await payment.record()), ...changes }

    expect(await payment.askNow('', { seen })).toMatchObject({ verdict: 'refused' })
    expect(await payment.raw()).toEqual(before)
  })

  it('says what PayConex said, when it has no answer', async () => {
    const payment = await reached('unconfirmed', 0)

    expect(await payment.record()).not.toHaveProperty('said')
    await payment.finish({ ...UNCONFIRMED, asked: 1, said: 'not_found' })

    expect(await payment.record()).toMatchObject({ said: { at: bench.clock.ms, what: 'not_found' } })
  })
})

/** Approved, heard by nobody, closed and on the list. */
async function lateApproval(waitMs = listeningMs): Promise<Payment> {
  const payment = await reached('approved', 0)
  await payment.keep()
  bench.pass(waitMs)
  return payment
}

const isOnList = async (payment: Payment) => (await bench.redis.zscore(bench.key('late'), payment.key)) !== null

describe('a late approval that a person takes back', () => {
  it('is open once more, as it was and due at once, and leaves the list', async () => {
    const payment = await lateApproval()
    const { now: _, ...before } = await payment.record()
    expect(await isOnList(payment)).toBe(true)

    expect(await payment.takeBack()).toMatchObject({ verdict: 'wanted', record: { state: 'approved', wanted: true } })

    expect(await payment.record()).toMatchObject({ ...before, wanted: true })
    expect(await payment.dueAt()).toBe(bench.clock.ms)
    expect(await payment.ttl()).toBe(-1)
    expect(await payment.raw()).toHaveProperty('credentials', 'sealed again')
    expect(await isOnList(payment)).toBe(false)
    expect(await payment.audited()).toEqual([expect.objectContaining({ from: 'approved', to: 'reversing' })])
  })

  it('is reversed like any other', async () => {
    const payment = await lateApproval()
    await payment.takeBack()
    await payment.takeOver('w2.b')

    expect(await payment.reverse('w2.b')).toMatchObject({ verdict: 'reversing' })
    await payment.finish({ state: 'reversed', id: payment.ids.reversal }, 'w2.b')

    expect(await payment.record()).toMatchObject({ state: 'reversed', reversal: payment.ids.reversal })
    expect(await payment.record()).not.toHaveProperty('wanted')
  })

  it('is kept after all when somebody hears of it meanwhile', async () => {
    const payment = await lateApproval()
    await payment.takeBack()
    await payment.admit({ seat: 'g1:2' })
    await payment.takeOver('w2.b')

    expect(await payment.reverse('w2.b')).toMatchObject({ verdict: 'refused', record: { heard: true } })
    expect(await payment.keep()).toMatchObject({ verdict: 'kept' })
    expect(await isOnList(payment)).toBe(false)
  })

  it('is on the list again when nothing came of it', async () => {
    const payment = await lateApproval()
    await payment.takeBack()

    await payment.keep()

    expect(await isOnList(payment)).toBe(true)
  })

  it('is refused when somebody has heard of it', async () => {
    const payment = await lateApproval()
    await payment.admit({ seat: 'g1:2' })

    expect(await payment.takeBack()).toMatchObject({ verdict: 'heard' })
    expect(await isOnList(payment)).toBe(true)
  })

  it('is refused when somebody waited for it', async () => {
    const payment = bench.another()
    await payment.reach('sending')
    await payment.finish({ state: 'approved', id: payment.ids.reserved })
    bench.pass(listeningMs)

    expect(await payment.takeBack()).toMatchObject({ verdict: 'heard' })
  })

  it('is refused as long as somebody may still come and hear of it', async () => {
    const payment = await lateApproval(listeningMs - 1)

    expect(await payment.takeBack()).toMatchObject({ verdict: 'early' })
    bench.pass(1)
    expect(await payment.takeBack()).toMatchObject({ verdict: 'wanted' })
  })

  it('is refused when it is a card that was stored: no money has moved', async () => {
    const payment = bench.another({ method: 'tokenize' })
    await payment.reach('approved')
    bench.pass(listeningMs)

    expect(await payment.takeBack()).toMatchObject({ verdict: 'refused' })
  })

  it('is refused without credentials to send it with', async () => {
    const payment = await lateApproval()

    expect(await payment.takeBack({}, '')).toMatchObject({ verdict: 'refused' })
  })

  it.each([
    ['became another attempt', { attempt: 2 }],
    ['changed its state', { state: 'unconfirmed' }],
    ['got another owner', { owner: 'w9.z' }],
  ] as const)('stays as it is when it %s since the person looked', async (_, changes) => {
    const payment = await lateApproval()
    const before = await payment.raw()
    const seen = { ...(await payment.record()), ...changes }

    expect(await payment.takeBack({ seen })).toMatchObject({ verdict: 'refused' })
    expect(await payment.raw()).toEqual(before)
  })

  it('is wanted once by one act', async () => {
    const payment = await lateApproval()
    const { seen } = await whatWasSeen(payment, () => payment.takeBack())

    expect(await payment.takeBack({ seen, token: TOKEN })).toMatchObject({ verdict: 'wanted' })
    expect(await payment.takeBack({ token: 'token-of-another' })).toMatchObject({ verdict: 'wanted' })
    expect(await payment.audited()).toHaveLength(2)
  })
})
