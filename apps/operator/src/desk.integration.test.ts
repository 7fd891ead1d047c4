import { randomBytes } from 'node:crypto'
import { checkValue, createWitness, openBook } from '@pay/ledger'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { openObserved } from '../../../scripts/test/observed-path.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { openDesk } from './desk.ts'
import { readOperatorEnvironment } from './environment.ts'

/** Servers that nobody else uses: the keys have fixed names. */
let queue: RunningRedis
let ledger: RunningRedis
let queueOwner: Redis
let ledgerOwner: Redis
const opened: (() => void)[] = []

beforeAll(async () => {
  ;[queue, ledger] = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  queueOwner = new Redis(queue.url)
  ledgerOwner = new Redis(ledger.url)
})

afterEach(async () => {
  for (const close of opened.splice(0)) close()
  await Promise.all([queueOwner.flushall(), ledgerOwner.flushall()])
})

afterAll(async () => {
  queueOwner?.disconnect()
  ledgerOwner?.disconnect()
  await Promise.all([queue?.stop(), ledger?.stop()])
})

const LEDGER_KEY = randomBytes(32)

const books = (...shards: string[]) =>
  Promise.all(
    shards.map((shard) => openBook({ redis: ledgerOwner, check: checkValue(LEDGER_KEY, shards.length), shard })),
  )

async function open(changes: Record<string, string>) {
  const desk = await openDesk(readOperatorEnvironment({ LEDGER_REDIS_URL: ledger.urls.cashier, ...changes }))
  opened.push(desk.close)
  return desk
}

describe('a desk without LEDGER_KEY', () => {
  it('is open where every shard has its book', async () => {
    await books('s0', 's1')

    expect((await open({ SHARDS: '2' })).places.map(({ shard }) => shard)).toEqual(['s0', 's1'])
  })

  it.each([
    ['too few', '1', 'more shards'],
    ['too many', '3', 'fewer shards'],
  ])('is not open with %s SHARDS: payments would be looked for where they are not', async (_, SHARDS, why) => {
    await books('s0', 's1')

    await expect(open({ SHARDS })).rejects.toThrow(`SHARDS: the ledger was begun with ${why}`)
  })

  it('is not open where no ledger has been begun, and begins none', async () => {
    await expect(open({})).rejects.toThrow('no ledger has been begun there yet')

    expect(await ledgerOwner.keys('*')).toEqual([])
  })
})

describe('a hand that may change a payment', () => {
  it('is not refused for fences that others note while the book is read', async () => {
    const [book] = await books('s0')
    const witness = createWitness(queueOwner)
    await witness.note({ identity: book?.identity ?? '', fences: 0 })
    const goesOn = async () => {
      await ledgerOwner.hincrby('{s0}:ledger', 'fences', 1)
      await witness.note({ identity: book?.identity ?? '', fences: 1 })
    }
    // The desk looks for two books when it opens, s0's and the one beyond, and reads the first again before anything is changed.
    const path = await openObserved(ledger.urls.cashier, { word: 'fences', nth: 3, meanwhile: goesOn })
    opened.push(path.close)
    const desk = await open({ LEDGER_REDIS_URL: path.url, QUEUE_REDIS_URL: queue.urls.cashier })

    await desk.hand('p_any')

    expect(await witness.seen()).toMatchObject({ fences: 1 })
  })

  it('is refused where the ledger has forgotten fences', async () => {
    const [book] = await books('s0')
    await createWitness(queueOwner).note({ identity: book?.identity ?? '', fences: 1 })
    const desk = await open({ QUEUE_REDIS_URL: queue.urls.cashier })

    await expect(desk.hand('p_any')).rejects.toThrow('has forgotten payments')
  })
})
