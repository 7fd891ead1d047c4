import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Ledger } from './ledger.ts'
import { createIdentity } from './payment-key.ts'
import { shardNames, shardOf, spreadLedger } from './shards.ts'

describe('the shard of a payment', () => {
  it('never changes: a payment that is looked for elsewhere would be charged again', () => {
    const keys = ['p_', 'p_1', 'p_OWq9fXwC7rKk2n3t0VYc1m8bJd5sZ4uPqLxEiAhGgTo', 'p_nobody']

    expect(keys.map((key) => shardOf(key, 6))).toEqual([2, 1, 2, 3])
    expect(keys.map((key) => shardOf(key, 64))).toEqual([16, 51, 6, 7])
  })

  it('is the only one where there is one', () => {
    expect(shardNames(1)).toEqual(['s0'])
    expect(shardOf('p_anything', 1)).toBe(0)
  })

  it.each([2, 3, 6, 7, 64])('of %i is any, each about as often', (shards) => {
    const { paymentKey } = createIdentity(randomBytes(32))
    const each = 1000
    const counts = new Map<number, number>()

    for (let nth = 0; nth < shards * each; nth += 1) {
      const key = paymentKey({ accountId: '120615000001', method: 'charge', transactionId: `tx-${nth}` })
      const shard = shardOf(key, shards)
      counts.set(shard, (counts.get(shard) ?? 0) + 1)
    }

    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(shardNames(shards).map((_, nth) => nth))
    // Six standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - each)).toBeLessThan(6 * Math.sqrt(each))
  })
})

/** A ledger that knows who was asked of it, or one that is away. */
function ledgerOf(name: string, isAway = false) {
  const asked: string[] = []
  const seen: number[] = []
  const answer = async (key: string) => {
    if (isAway) throw new Error(`${name} is away`)
    asked.push(key)
    return { key, code: name }
  }
  const ledger = {
    admit: ({ key }: { key: string }) => answer(key),
    leave: answer,
    withdraw: ({ key }: { key: string }) => answer(key),
    read: answer,
    readMany: (keys: string[]) => Promise.all(keys.map(answer)),
    saw: (fences: number) => void seen.push(fences),
  } as unknown as Ledger
  return { ledger, asked, seen }
}

const keys = Array.from({ length: 40 }, (_, nth) => `p_${nth}`)

describe('the ledgers of some shards', () => {
  it('are the one itself where there is one: nothing stands between', () => {
    const { ledger } = ledgerOf('only')

    expect(spreadLedger([ledger])).toBe(ledger)
  })

  it('are each asked for its own payments, whatever the step', async () => {
    const all = [ledgerOf('0'), ledgerOf('1'), ledgerOf('2')] as const
    const ledger = spreadLedger([all[0].ledger, all[1].ledger, all[2].ledger])

    for (const [nth, key] of keys.entries()) {
      const attempt = { key, attempt: 1 }
      const said = {
        key,
        fingerprint: '',
        seat: '',
        method: 'charge',
        account: '',
        custom_id: '',
        sealedCredentials: '',
      } as const
      await ledger.admit(said)
      await ledger.withdraw(attempt, { state: 'not_sent' })
      await ledger.leave(key, 'g:1')
      await ledger.read(key)
      ledger.saw(nth, key)
    }

    for (const [shard, { asked, seen }] of all.entries()) {
      const own = keys.filter((key) => shardOf(key, 3) === shard)
      expect(asked).toEqual(own.flatMap((key) => [key, key, key, key]))
      expect(seen).toEqual(own.map((key) => keys.indexOf(key)))
    }
  })

  it('read many in the order asked, and without those of a shard that is away', async () => {
    const ledger = spreadLedger([ledgerOf('0').ledger, ledgerOf('1', true).ledger, ledgerOf('2').ledger])

    const records = await ledger.readMany(keys)

    expect(records.map((record) => record?.key)).toEqual(keys.map((key) => (shardOf(key, 3) === 1 ? undefined : key)))
  })

  it('read nothing where all that are asked are away', async () => {
    const ledger = spreadLedger([ledgerOf('0', true).ledger, ledgerOf('1', true).ledger])

    await expect(ledger.readMany(keys)).rejects.toThrow('away')
  })
})
