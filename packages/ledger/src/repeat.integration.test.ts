import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Admission } from './ledger.ts'
import { FIELDS, testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, UNCONFIRMED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))
const { repeatAfterMs, answerByMs, leaseMs } = testTimes

afterAll(bench.close)

/** A payment in sending whose repeat would be permitted, were it only late enough. */
async function repeatable() {
  const account = randomUUID()
  await bench.prove(account)
  const payment = bench.payment({ account })
  await payment.reach('sending')
  return payment
}

describe('a repeat', () => {
  it('is permitted to the owner, so long after the last send, and counts as a send', async () => {
    const payment = await repeatable()
    const fences = Number(await bench.redis.hget(bench.key('ledger'), 'fences'))
    bench.pass(repeatAfterMs)

    const repeated = await payment.repeat()

    const { ms } = bench.clock
    expect(repeated).toMatchObject({ verdict: 'permitted', fences: fences + 1, record: { state: 'sending', sent: ms } })
    expect(await payment.dueAt()).toBe(ms + leaseMs)
  })

  it('is permitted to whoever took the payment over', async () => {
    const payment = await repeatable()
    await payment.silence()
    await payment.takeOver('w2.b')
    bench.pass(repeatAfterMs)

    expect((await payment.repeat('w2.b'))?.verdict).toBe('permitted')
  })

  it('is refused to any other owner', async () => {
    const payment = await repeatable()
    bench.pass(repeatAfterMs)

    expect((await payment.repeat('w2.b'))?.verdict).toBe('refused')
  })

  it('is refused to an owner from whom the payment was taken', async () => {
    const payment = await repeatable()
    await payment.silence()
    await payment.takeOver('w2.b')
    bench.pass(repeatAfterMs)

    expect((await payment.repeat(OWNER))?.verdict).toBe('refused')
  })

  it('is refused once its answer was given up: it is only asked about from then on', async () => {
    const payment = await repeatable()
    await payment.finish(UNCONFIRMED)
    bench.pass(repeatAfterMs)

    expect(await payment.repeat()).toMatchObject({ verdict: 'refused', record: { state: 'unconfirmed' } })
  })

  it('is refused of a record that names no reserved id at all', async () => {
    const payment = await repeatable()
    await bench.redis.hdel(bench.key(`payment:${payment.key}`), FIELDS.reserved)
    bench.pass(repeatAfterMs)

    expect((await payment.repeat())?.verdict).toBe('refused')
  })

  it('is refused for another attempt', async () => {
    const payment = await repeatable()
    bench.pass(repeatAfterMs)

    expect((await bench.ledger.repeat({ ...payment.first, attempt: 2 }, OWNER))?.verdict).toBe('refused')
  })

  it('is refused too soon after the last send', async () => {
    const payment = await repeatable()
    bench.pass(repeatAfterMs - 1)

    expect((await payment.repeat())?.verdict).toBe('refused')
  })

  it('is refused too soon after the last repeat', async () => {
    const payment = await repeatable()
    bench.pass(repeatAfterMs)
    await payment.repeat()
    bench.pass(repeatAfterMs - 1)

    expect((await payment.repeat())?.verdict).toBe('refused')
  })

  it('is refused too late to hear its answer before ANSWER_BY', async () => {
    const [late, justInTime] = [await repeatable(), await repeatable()]
    bench.pass(answerByMs - repeatAfterMs - 1)
    expect((await justInTime.repeat())?.verdict).toBe('permitted')
    bench.pass(1)

    expect((await late.repeat())?.verdict).toBe('refused')
  })

  it.each([
    ['to before the payment', -1],
    ['to before its last send', repeatAfterMs - 1],
  ])('is refused when the clock went back %s', async (_, ms) => {
    const payment = bench.payment({ account: randomUUID() })
    await bench.prove(payment.admission.account)
    await payment.admit()
    bench.pass(repeatAfterMs)
    await payment.fence()
    bench.pass(ms - repeatAfterMs)

    expect((await payment.repeat())?.verdict).toBe('refused')
  })

  it('is refused without a reserved id: PayConex could not recognise it', async () => {
    const account = randomUUID()
    await bench.prove(account)
    const payment = bench.payment({ account })
    await payment.admit()
    await payment.fence(OWNER, '')
    bench.pass(repeatAfterMs)

    expect((await payment.repeat())?.verdict).toBe('refused')
  })

  it('changes nothing where it is refused', async () => {
    const payment = await repeatable()
    bench.pass(1)
    const before = await payment.raw()

    await payment.repeat()

    expect(await payment.raw()).toEqual(before)
  })
})

describe('that PayConex honours the ids it reserves', () => {
  /** Whether a payment of this account may be repeated, as far as the proof goes. */
  async function isRepeatable(account: string, changes: Partial<Admission> = {}) {
    const payment = bench.another({ account, ...changes })
    await payment.reach('sending')
    bench.pass(repeatAfterMs)
    return (await payment.repeat())?.verdict === 'permitted'
  }

  it('is not known of an account that has no approval yet', async () => {
    expect(await isRepeatable(randomUUID())).toBe(false)
  })

  it('is proven by an approval under the reserved id', async () => {
    const account = randomUUID()

    await bench.prove(account)

    expect(await isRepeatable(account)).toBe(true)
  })

  it('is proven also by an approval that was found later', async () => {
    const account = randomUUID()
    const payment = bench.payment({ account })
    await payment.reach('unconfirmed')

    await payment.finish(APPROVAL)

    expect(await isRepeatable(account)).toBe(true)
  })

  it.each([
    ['under another id', { ...APPROVAL, id: '000000000002' }],
    ['that is no approval', { state: 'declined', code: '30002' } as const],
    ['that is no approval, under the reserved id', { ...APPROVAL, state: 'declined' } as const],
    ['that is none at all', UNCONFIRMED],
  ])('is not proven by an answer %s', async (_, entry) => {
    const account = randomUUID()
    const payment = bench.payment({ account })
    await payment.reach('sending')

    await payment.finish(entry)

    expect(await isRepeatable(account)).toBe(false)
  })

  it('is not proven by an approval without a reserved id', async () => {
    const account = randomUUID()
    const payment = bench.payment({ account })
    await payment.admit()
    await payment.fence(OWNER, '')

    await payment.finish(APPROVAL)

    expect(await isRepeatable(account)).toBe(false)
  })

  it('is proven for the account and the method, and for nothing else', async () => {
    const account = randomUUID()

    await bench.prove(account, { method: 'tokenize' })

    expect(await isRepeatable(account, { method: 'tokenize' })).toBe(true)
    expect(await isRepeatable(account)).toBe(false)
    expect(await isRepeatable(randomUUID(), { method: 'tokenize' })).toBe(false)
  })

  it('is not believed any more after a contradiction, whatever is approved later', async () => {
    const account = randomUUID()
    await bench.prove(account)
    const payment = bench.payment({ account })
    await payment.reach('sending')

    await payment.finish({ state: 'review', remark: 'contradiction' })
    await bench.prove(account)

    expect(await isRepeatable(account)).toBe(false)
  })

  it('is never believed where the contradiction came first', async () => {
    const account = randomUUID()
    const payment = bench.payment({ account })
    await payment.reach('sending')
    await payment.finish({ state: 'review', remark: 'contradiction' })

    await bench.prove(account)

    expect(await isRepeatable(account)).toBe(false)
  })
})
