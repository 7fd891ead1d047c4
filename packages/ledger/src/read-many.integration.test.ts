import { afterAll, expect, inject, it } from 'vitest'
import { FIELDS } from './testing.ts'
import { openBench } from './testing-payment.ts'

const bench = await openBench(inject('ledgerRedisUrl'))

afterAll(bench.close)

it('several records are read in the order asked for; one that is missing or unreadable does not keep the others back', async () => {
  const [one, missing, unreadable, two] = [bench.payment(), bench.payment(), bench.payment(), bench.payment()]
  for (const payment of [one, unreadable, two]) await payment.admit()
  await bench.redis.hset(bench.key(`payment:${unreadable.key}`), FIELDS.state, 'of a later version')

  const records = await bench.ledger.readMany([one, missing, unreadable, two].map(({ key }) => key))

  expect(records).toMatchObject([{ key: one.key }, undefined, undefined, { key: two.key }])
})

it('several records are not read at all where the ledger does not answer', async () => {
  const away = await openBench(inject('ledgerRedisUrl'))
  away.redis.disconnect()

  await expect(away.ledger.readMany(['p_1'])).rejects.toThrow(Error)
})
