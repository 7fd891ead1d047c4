import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, inject, it } from 'vitest'
import type { Entry } from './ledger.ts'
import type { State } from './record.ts'
import { testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, RESERVED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

afterAll(bench.close)

/** Everything as long as it comes, and a decline with more words than Redis keeps short. */
const text = (bytes: number) => randomBytes(bytes).toString('base64url')
const owner = `${text(9)}.${crypto.randomUUID()}`
const LONG = { state: 'declined', code: '30002', message: 'The card was declined by its bank. '.repeat(4) } as const

/** One that is known by names of their real length. */
async function sent(changes = {}) {
  const payment = bench.another({
    fingerprint: `1.${text(32)}`,
    account: '120615000001',
    custom_id: crypto.randomUUID(),
    sealedCredentials: text(150),
    ...changes,
  })
  await payment.admit()
  await payment.fence(owner)
  return payment
}

describe('the record of a payment that is over', () => {
  it('is one short list, whatever it was while it was open', async () => {
    const payment = await sent()
    const key = bench.key(`payment:${payment.key}`)
    expect(await bench.redis.object('ENCODING', key)).toBe('hashtable')

    await payment.finish({ ...APPROVAL, id: payment.ids.reserved }, owner)

    expect(await bench.redis.object('ENCODING', key)).toBe('listpack')
    // The tag of this test's shard is 32 bytes longer than that of a real one, the payment's key 5 shorter.
    expect(await bench.redis.memory('USAGE', key)).toBeLessThanOrEqual(300 + 32)
  })

  const endings: [string, Entry][] = [
    ['approved', APPROVAL],
    ['approved under another id', { ...APPROVAL, id: '000000000002' }],
    ['declined', LONG],
    ['declined without a word', { state: 'declined', code: '30002' }],
    ['declined with an id of its own', { state: 'declined', code: '30002', id: RESERVED }],
    ['not sent', { state: 'not_sent' }],
    ['a contradiction', { state: 'review', remark: 'contradiction' }],
  ]

  it.each(endings)('(%s) says the same as the answer to its last step', async (_, entry) => {
    for (const method of ['charge', 'tokenize'] as const) {
      const payment = await sent({ method })
      const reply = await payment.finish(entry, owner)
      const { sent: _sent, owner: _owner, ...kept } = reply?.record ?? ({} as never)

      expect(await payment.record()).toMatchObject(kept)
    }
  })

  it('still says under which id it was charged when its reversal is a person’s to look at', async () => {
    const payment = bench.payment()
    await payment.reach('reversing')

    await payment.finish({ state: 'review' })

    expect(await payment.record()).toMatchObject({ state: 'review', id: RESERVED, reversal: payment.ids.reversal })
  })

  it('says word for word what the caller was told', async () => {
    const payment = await sent()
    await payment.finish(LONG, owner)

    expect(await payment.admit()).toMatchObject({ verdict: 'replay', record: { message: LONG.message, code: '30002' } })
  })

  it('says nothing of how it came about', async () => {
    const payment = bench.payment()
    await payment.reach('sending')
    await payment.leave()
    await payment.finish({ state: 'unconfirmed', dueMs: 1000, asked: 2 })
    await payment.takeOver('w2.b')

    await payment.finish({ state: 'declined', code: '30002' }, 'w2.b')

    expect(
      Object.keys(await payment.raw())
        .sort()
        .join(' '),
    ).toBe('a c e f m n o r s sent t v')
  })

  it('still knows its owner, who says it again, and nobody else', async () => {
    const payment = await sent()
    await payment.finish(LONG, owner)

    expect((await payment.finish(LONG, owner))?.verdict).toBe('finished')
    expect((await payment.finish(LONG, OWNER))?.verdict).toBe('refused')
  })

  it.each<State>(['approved', 'declined', 'not_sent', 'reversed'])('stays in %s whoever leaves it', async (state) => {
    const payment = bench.payment()
    await payment.reach(state)
    if (state === 'approved') await payment.keep()

    await payment.leave()
    await payment.leave('g9:9')

    expect(await payment.waiting()).toEqual([])
    expect(await payment.record()).not.toHaveProperty('left')
  })
})

describe('the ids of a thousand payments in a row', () => {
  it('lie in ten short lists, and are told apart', async () => {
    const account = crypto.randomUUID()
    const ids = Array.from({ length: 1000 }, (_, nth) => String(100_000_000_000 + nth))
    await Promise.all(ids.map((id) => fence(id)))

    const keys = await bench.redis.keys(bench.key(`id:${account}|*`))
    expect(keys).toHaveLength(10)
    for (const key of keys) expect(await bench.redis.object('ENCODING', key)).toBe('listpack')
    expect((await fence('100000000777'))?.verdict).toBe('used')
    expect((await fence('100000001000'))?.verdict).toBe('fenced')

    async function fence(reserved: string) {
      const payment = bench.payment({ account })
      await payment.admit()
      return payment.fence(OWNER, reserved)
    }
  })
})

describe('a lease', () => {
  const left = async () => Number(await bench.redis.get(bench.key('lease:w7'))) - bench.clock.ms
  const fence = async () => {
    const payment = bench.another()
    await payment.admit()
    await payment.fence('w7.a')
  }

  it('is renewed by a fence when less than half of it is left: its worker renews it every second anyway', async () => {
    const { leaseMs } = testTimes
    await bench.ledger.renewLease('w7')
    bench.pass(leaseMs / 2)
    await fence()
    expect(await left()).toBe(leaseMs / 2)

    bench.pass(1)
    await fence()

    expect(await left()).toBe(leaseMs)
  })

  it('that a clock which went back made too long is renewed', async () => {
    await bench.ledger.renewLease('w7')
    bench.pass(-1)

    await fence()

    expect(await left()).toBe(testTimes.leaseMs)
  })
})
