import { afterAll, describe, expect, inject, it } from 'vitest'
import { testTimes } from './testing.ts'
import { APPROVAL, OWNER, openBench, RESERVED } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

afterAll(bench.close)

/** Two payments of one account, for which PayConex gives out the same id. */
function twins() {
  const one = bench.payment()
  const { account } = one.admission
  return { one, other: bench.payment({ account }), account }
}

describe('an id that PayConex reserved', () => {
  it('for two payments is used for the first; the second changes nothing and asks for another one', async () => {
    const { one, other } = twins()
    await one.reach('sending')
    await other.reach('accepted')
    const before = await other.raw()

    expect(await other.fence()).toMatchObject({ verdict: 'used', record: { state: 'accepted' } })

    expect(await other.raw()).toEqual(before)
    expect((await other.fence(OWNER, '000000000002'))?.verdict).toBe('fenced')
  })

  it('is still the first one’s when that is over', async () => {
    const { one, other } = twins()
    await one.reach('declined')
    await other.reach('accepted')

    expect((await other.fence())?.verdict).toBe('used')
  })

  it('is no other attempt’s of the same payment either: it could hear of the first one’s charge', async () => {
    const payment = bench.payment()
    await payment.reach('declined')
    await payment.admit({ fingerprint: 'two', seat: 'g2:1' })
    const second = { key: payment.key, attempt: 2 }

    expect((await bench.ledger.fence(second, { owner: OWNER, reserved: RESERVED }))?.verdict).toBe('used')
  })

  it('for another account is another id', async () => {
    const [one, other] = [bench.payment(), bench.payment()]
    await one.reach('sending')
    await other.reach('accepted')

    expect((await other.fence())?.verdict).toBe('fenced')
  })

  it('and could not be had is nobody’s: any number of payments go without one', async () => {
    const { one, other } = twins()
    await one.admit()
    await other.admit()

    expect((await one.fence(OWNER, ''))?.verdict).toBe('fenced')
    expect((await other.fence(OWNER, ''))?.verdict).toBe('fenced')
  })

  it('is remembered as long as its payment is, beside those that PayConex gives out after it', async () => {
    const { one, other, account } = twins()
    const key = bench.key(`id:${account}|${RESERVED.slice(0, -2)}`)
    await one.reach('sending')
    await bench.redis.pexpire(key, 1000)
    await other.admit()

    await other.fence(OWNER, `${RESERVED.slice(0, -1)}9`)

    expect(await bench.redis.hlen(key)).toBe(2)
    const ttl = await bench.redis.pttl(key)
    expect(ttl).toBeGreaterThan(testTimes.retentionMs / 2)
    expect(ttl).toBeLessThanOrEqual(testTimes.retentionMs)
  })

  it.each([
    ['begins alike', '000000000101', '000000000102'],
    ['ends alike', '000000000101', '000000000201'],
    ['is short', '1', '2'],
  ])('is not another one that %s', async (_, id, next) => {
    const { one, other } = twins()
    await one.admit()
    await other.admit()

    expect((await one.fence(OWNER, id))?.verdict).toBe('fenced')
    expect((await other.fence(OWNER, id))?.verdict).toBe('used')
    expect((await other.fence(OWNER, next))?.verdict).toBe('fenced')
  })
})

describe('the id of a reversal', () => {
  /** A charge that can be reversed. */
  async function reversible(payment = bench.payment()) {
    await payment.reach('approved')
    bench.pass(testTimes.listeningMs)
    return payment
  }

  it.each([
    [
      'its own charge has',
      async () => {
        const payment = await reversible()
        return { payment, id: RESERVED }
      },
    ],
    [
      'another charge of the account has',
      async () => {
        const payment = await reversible()
        const other = bench.another({ account: payment.admission.account })
        await other.reach('sending')
        return { payment, id: other.ids.reserved }
      },
    ],
    [
      'its own charge had asked for, and was approved under another',
      async () => {
        const payment = bench.payment()
        await payment.reach('sending')
        await payment.leave()
        await payment.finish({ ...APPROVAL, id: '000000000002' })
        bench.pass(testTimes.listeningMs)
        return { payment, id: RESERVED }
      },
    ],
  ])('is refused as used where %s it, and nothing is begun', async (_, given) => {
    const { payment, id } = await given()
    const before = await payment.raw()

    expect(await payment.reverse(OWNER, id)).toMatchObject({ verdict: 'used', record: { state: 'approved' } })

    expect(await payment.raw()).toEqual(before)
  })

  it('is no charge’s later', async () => {
    const payment = await reversible()
    await payment.reverse()
    const other = bench.payment({ account: payment.admission.account })
    await other.admit()

    expect((await other.fence(OWNER, payment.ids.reversal))?.verdict).toBe('used')
  })
})
