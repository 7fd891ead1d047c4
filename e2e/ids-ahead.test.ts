import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack, Worker } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { visaCharge } from './caller.ts'
import { createPayers, type Payer } from './matrix-payer.ts'
import { sumOf } from './metrics.ts'

/** Ids are reserved ahead of need (decision 18). Times are those of the service, SEND_BY 22 s. */

const RESERVE_MS = 700

let stack: Stack
let payers: ReturnType<typeof createPayers>

beforeAll(async () => {
  stack = await startTestStack({ workers: 1 })
  payers = createPayers({ stack, timeScale: 1 })
})

afterAll(async () => {
  payers?.close()
  await stack?.stop()
})

const next = ({ account }: Payer) => payers.payer(visaCharge, account)

async function timed(payer: Payer): Promise<number> {
  const begun = performance.now()
  expect(await payer.call()).toBe('approved')
  return performance.now() - begun
}

const worker = () => stack.workers.find((one) => one.isRunning()) as Worker
const taken = (how: string) => sumOf(worker().opsUrl, 'pay_worker_reserved_ids_total', { how })
const reservations = async (payer: Payer) => (await payer.requests('reserve')).length

describe('a PayConex that takes its time to reserve an id', () => {
  it('makes the first payment of an account wait, and none that come after', async () => {
    const first = payers.payer()
    await first.fault({ fault: 'delay', ms: RESERVE_MS, on: 'reserve', share: 1 })
    expect(await timed(first)).toBeGreaterThan(RESERVE_MS)
    const before = await taken('ahead')

    for (let nth = 0; nth < 4; nth += 1) {
      await sleep(RESERVE_MS * 1.5)
      expect(await timed(next(first))).toBeLessThan(RESERVE_MS)
    }

    expect(await taken('ahead')).toBe(before + 4)
    const { duplicates, transactions } = await payers.payconex.books()
    expect(duplicates).toEqual([])
    expect(transactions.every(({ reserved }) => reserved)).toBe(true)
  })

  it('is asked once for each payment and one time more, and not at all when nobody pays', async () => {
    const first = payers.payer()
    await timed(first)
    for (let nth = 0; nth < 10; nth += 1) await timed(next(first))

    await sleep(300)
    const asked = await reservations(first)
    await sleep(2500)

    // Another one more at most for each time that the next payment was faster than its id.
    expect(asked).toBeGreaterThanOrEqual(12)
    expect(asked).toBeLessThanOrEqual(16)
    expect(await reservations(first)).toBe(asked)
  })
})

describe('a PayConex that does not honour the ids that it reserves', () => {
  it('is asked for none ahead', async () => {
    await payers.payconex.settings({ honourReservedIds: false })
    const first = payers.payer()
    await first.call()
    await next(first).call()

    await sleep(300)

    expect(await reservations(first)).toBe(2)
    await payers.payconex.settings({ honourReservedIds: true })
  })
})

describe('an access key that PayConex does not take any more', () => {
  it('is told of as declined, with and without an id ahead, and nothing is fetched for it', async () => {
    const first = payers.payer()
    await timed(first)
    await first.fault({ fault: '401', on: 'any', share: 1, label: first.account })

    expect(await next(first).call()).toBe('20401')
    expect(await next(first).call()).toBe('20401')

    // The one that was proven and the one ahead; in its place one in vain, and then each payment by itself.
    expect(await reservations(first)).toBe(4)
    await payers.payconex.clearFaults(first.account)
    await timed(next(first))
  })
})

describe('a worker that is killed with ids in its memory', () => {
  it('B24: harms nothing: its payments and those that come are charged once, each under an id of its own', async () => {
    const first = payers.payer()
    await timed(first)
    await Promise.all(Array.from({ length: 10 }, () => timed(next(first))))
    const victim = worker()
    await first.fault({ fault: 'delay', ms: 300 })
    const caught = next(first)
    const call = caught.call()
    await first.arrived('sale', 12)

    victim.kill('SIGKILL')
    await stack.addWorker()
    const after = [next(first), next(first), next(first)]
    const heard = await Promise.all([call, ...after.map((payer) => payer.call())])

    expect(heard).toEqual(['approved', 'approved', 'approved', 'approved'])
    const { duplicates, transactions } = await payers.payconex.books()
    expect(duplicates).toEqual([])
    const own = transactions.filter(({ account_id }) => account_id === first.account)
    expect(own).toHaveLength(15)
    expect(new Set(own.map(({ transaction_id }) => transaction_id)).size).toBe(15)
  })
})
