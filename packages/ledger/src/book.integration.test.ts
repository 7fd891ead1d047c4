import { randomBytes, randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { type Book, checkValue, confirm, createWitness, openBook, readBook, WrongLedger } from './book.ts'
import type { Ledger } from './ledger.ts'
import type { PaymentRecord } from './record.ts'
import { type ScriptName, scriptNames } from './scripts.ts'
import { ENTRY, openBench, type Payment, TOKEN } from './testing-payment.ts'

const redis = new Redis(inject('ledgerRedisUrl'))
const queue = new Redis(inject('queueRedisUrl'))

afterAll(() => {
  redis.disconnect()
  queue.disconnect()
})

describe('the book of a ledger', () => {
  const open = (shard: string, check = 'rules') => openBook({ redis, check, shard })

  it('is begun by whoever opens it first, and is the same for all others', async () => {
    const shard = randomUUID()

    const [one, two] = await Promise.all([open(shard), open(shard)])

    expect(one).toEqual({ identity: expect.stringMatching(/^[\w-]{12}$/), fences: 0 })
    expect(two).toEqual(one)
  })

  it('has an identity that no other ledger has', async () => {
    const [one, two] = [await open(randomUUID()), await open(randomUUID())]

    expect(one.identity).not.toBe(two.identity)
  })

  it('knows how many fences there were', async () => {
    const bench = await openBench(inject('ledgerRedisUrl'))
    await bench.payment().reach('sending')

    expect(await openBook({ redis, check: 'test', shard: bench.shard })).toMatchObject({ fences: 1 })
    bench.close()
  })

  it('that was begun by other rules is not opened, and stays as it is', async () => {
    const shard = randomUUID()
    const book = await open(shard)

    await expect(open(shard, 'other rules')).rejects.toThrow(WrongLedger)

    expect(await open(shard)).toEqual(book)
  })

  it('is read without being begun, and not by other rules', async () => {
    const shard = randomUUID()
    const read = (check = 'rules') => readBook({ redis, check, shard })

    expect(await read()).toBeUndefined()
    expect(await redis.exists(`{${shard}}:ledger`)).toBe(0)
    const book = await open(shard)
    expect(await read()).toEqual(book)
    await expect(read('other rules')).rejects.toThrow(WrongLedger)
  })
})

describe('the rules by which the keys of a ledger are made', () => {
  const key = randomBytes(32)

  it('are the same for the same LEDGER_KEY and SHARDS, and say nothing about the key', () => {
    expect(checkValue(key, 1)).toBe(checkValue(Buffer.from(key), 1))
    expect(checkValue(key, 1)).not.toContain(key.toString('base64url').slice(0, 8))
  })

  it('are others with another LEDGER_KEY or another number of shards', () => {
    expect(checkValue(randomBytes(32), 1)).not.toBe(checkValue(key, 1))
    expect(checkValue(key, 2)).not.toBe(checkValue(key, 1))
  })
})

describe('what was last seen of the ledger, on the queue’s server', () => {
  const witness = () => createWitness(queue, randomUUID())
  const confirmed = async (seen: ReturnType<typeof witness>, book: Book) => confirm(book, await seen.seen())

  it('confirms any ledger where nobody has seen one yet', async () => {
    await expect(confirmed(witness(), { identity: 'a', fences: 0 })).resolves.toBeUndefined()
  })

  it.each([7, 8])('confirms the same ledger with as many fences or more: %i', async (fences) => {
    const seen = witness()
    await seen.note({ identity: 'a', fences: 7 })

    await expect(confirmed(seen, { identity: 'a', fences })).resolves.toBeUndefined()
  })

  it.each<[string, Book, string]>([
    ['another ledger', { identity: 'b', fences: 9 }, 'it is another one than was last seen'],
    ['a ledger that has forgotten fences', { identity: 'a', fences: 6 }, 'it has forgotten payments that were sent'],
  ])('does not confirm %s, and says where to read on', async (_, book, because) => {
    const seen = witness()
    await seen.note({ identity: 'a', fences: 7 })

    await expect(confirmed(seen, book)).rejects.toThrow(WrongLedger)
    await expect(confirmed(seen, book)).rejects.toThrow(`${because} (docs/reliability.md`)
  })

  it('goes up with what is noted later, and teaches that to whoever knew less', async () => {
    const seen = witness()
    await seen.note({ identity: 'a', fences: 7 })
    await seen.note({ identity: 'a', fences: 9 })
    const book = { identity: 'a', fences: 8 }

    await seen.note(book)

    expect(book.fences).toBe(9)
    expect(await seen.seen()).toEqual({ identity: 'a', fences: 9 })
  })

  it('never goes down, whoever notes it late', async () => {
    const seen = witness()
    await seen.note({ identity: 'a', fences: 10 })

    await seen.note({ identity: 'a', fences: 9 })

    await expect(confirmed(seen, { identity: 'a', fences: 9 })).rejects.toThrow('forgotten')
  })
})

type Step = (ledger: Ledger, payment: Payment) => Promise<unknown>

const seenOf = ({ admission: { seat, ...admission }, first }: Payment): PaymentRecord => ({
  ...admission,
  ...first,
  state: 'sending',
  now: 0,
  first: 0,
  asked: 0,
  reversals: 0,
  amount: '',
})
const byHand = (payment: Payment) => ({ seen: seenOf(payment), token: TOKEN, entry: ENTRY })

const everyStep: Record<ScriptName, Step> = {
  admit: (ledger, { admission }) => ledger.admit(admission),
  leave: (ledger, { key }) => ledger.leave(key, 'g1:1'),
  withdraw: (ledger, { first }) => ledger.withdraw(first, { state: 'not_sent' }),
  fence: (ledger, { first }) => ledger.fence(first, { owner: 'w1.a' }),
  repeat: (ledger, { first }) => ledger.repeat(first, 'w1.a'),
  finish: (ledger, { first }) => ledger.finish(first, 'w1.a', { state: 'not_sent' }),
  takeOver: async (ledger, payment) => ledger.takeOver(seenOf(payment), 'w2.b'),
  release: (ledger, { key }) => ledger.release(key, 'w1.a'),
  reverse: (ledger, { first }) => ledger.reverse(first, { owner: 'w1.a', reversal: '1' }),
  keep: (ledger, { key }) => ledger.keep(key),
  due: (ledger) => ledger.due('w1', 1),
  postpone: (ledger, { key }) => ledger.postpone(key, 1),
  read: (ledger, { key }) => ledger.read(key),
  renew: (ledger) => ledger.renewLease('w1'),
  resolve: (ledger, payment) => ledger.resolve(byHand(payment), { state: 'approved', id: '1' }),
  askNow: (ledger, payment) => ledger.askNow(byHand(payment), { asked: 0 }),
  takeBack: (ledger, payment) => ledger.takeBack(byHand(payment), 'sealed'),
  survey: (ledger) => ledger.survey('w1', { keyIds: [] }),
}

/** A ledger on which one payment was sent; what then happens to the ledger is the test's to say. */
async function used() {
  const wrong: WrongLedger[] = []
  const bench = await openBench(inject('ledgerRedisUrl'), { onWrong: (error) => void wrong.push(error) })
  const payment = bench.payment()
  await payment.reach('sending')
  return { ...bench, payment, wrong }
}

type Used = Awaited<ReturnType<typeof used>>

const HARM: [string, (ledger: Used) => Promise<unknown>][] = [
  ['was exchanged for another one', ({ redis, key }) => redis.hset(key('ledger'), 'identity', 'another')],
  ['was set back to before a fence', ({ redis, key }) => redis.hincrby(key('ledger'), 'fences', -1)],
  [
    'was emptied',
    async ({ redis, shard }) => {
      const keys = await redis.keys(`{${shard}}:*`)
      await redis.del(keys)
    },
  ],
]

describe.each(HARM)('a ledger that %s', (_, harm) => {
  it.each(scriptNames)('is not asked for anything any more: %s', async (name) => {
    const ledger = await used()
    await harm(ledger)
    const before = await ledger.payment.raw()

    await expect(everyStep[name](ledger.ledger, ledger.payment)).rejects.toThrow(WrongLedger)

    expect(ledger.wrong).toHaveLength(1)
    expect(await ledger.payment.raw()).toEqual(before)
    ledger.close()
  })
})

describe('a fence that only another process has seen', () => {
  it('is known to this one as soon as it is told of it, with a sign of life or any payment', async () => {
    const { ledger, openAnother, payment, redis, key, close } = await used()
    const other = await openAnother()
    await other.renewLease('w2')
    await payment.fence()
    await other.read(payment.key)

    await redis.hincrby(key('ledger'), 'fences', -1)

    await expect(other.read(payment.key)).rejects.toThrow(WrongLedger)
    await expect(ledger.read(payment.key)).rejects.toThrow(WrongLedger)
    close()
  })

  it('does not make this one’s own command wrong that was on its way', async () => {
    const { ledger, payment, close } = await used()

    const together = await Promise.all([payment.fence(), payment.fence(), ledger.read(payment.key), payment.fence()])

    expect(together).toHaveLength(4)
    close()
  })
})

describe('an error that is not the ledger’s word that it went back', () => {
  it('is thrown on as it is, and stops nobody', async () => {
    const { ledger, wrong, redis, payment, key, close } = await used()
    await redis.set(key(`payment:${payment.key}`), 'no hash')

    await expect(ledger.read(payment.key)).rejects.toThrow('WRONGTYPE')

    expect(wrong).toEqual([])
    close()
  })
})
