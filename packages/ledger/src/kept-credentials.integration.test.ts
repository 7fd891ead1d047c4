import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type KeptCredentials, keptCredentials } from './kept-credentials.ts'
import { STATES } from './record.ts'
import { openBench } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

beforeEach(() => bench.redis.del(bench.key('open')))

afterAll(bench.close)

async function kept() {
  const found: KeptCredentials[] = []
  for await (const portion of keptCredentials(bench.redis, bench.shard)) found.push(...portion)
  return found
}

const OPEN = ['accepted', 'sending', 'approved', 'unconfirmed', 'reversing']

describe('the sealed credentials that are kept', () => {
  it.each(STATES)('of a payment that is %s are named as long as it is open, and are there no longer', async (state) => {
    const payment = bench.another({ sealedCredentials: '2.k1.abc' })
    await payment.reach(state)

    const isOpen = OPEN.includes(state)
    expect(await kept()).toEqual(isOpen ? [{ key: payment.key, sealed: '2.k1.abc' }] : [])
    expect('credentials' in (await payment.raw())).toBe(isOpen)
  })

  it('are those of the latest attempt', async () => {
    const payment = bench.another({ sealedCredentials: '2.k1.abc' })
    await payment.reach('not_sent')
    await payment.admit({ fingerprint: 'two', sealedCredentials: '2.k2.def' })

    expect(await kept()).toEqual([{ key: payment.key, sealed: '2.k2.def' }])
  })

  it('are found of thousands of payments, also while others come and go', async () => {
    const payments = Array.from({ length: 2000 }, () => bench.another({ sealedCredentials: '2.k1.abc' }))
    await Promise.all(payments.map(({ admit }) => admit()))
    const passing = comeAndGo()

    const found = new Set((await kept()).map(({ key }) => key))

    for (const { key } of payments) expect(found).toContain(key)
    await passing.end()
  })
})

/** Payments that are open for a moment only. */
function comeAndGo() {
  let isOver = false
  const work = (async () => {
    while (!isOver) await bench.another().reach('not_sent')
  })()
  return {
    end: () => {
      isOver = true
      return work
    },
  }
}
