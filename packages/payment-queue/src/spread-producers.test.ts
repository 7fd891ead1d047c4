import { expect, it } from 'vitest'
import type { Producer } from './payment-queue.ts'
import { spreadProducers } from './spread-producers.ts'

function producerThatRemembers() {
  const asked: string[] = []
  const note = async ({ key }: { key: string }) => void asked.push(key)
  const close = async () => void asked.push('close')
  const awayForMs = ({ key }: { key: string }) => asked.push(key)
  const producer: Producer = { add: note, awayForMs, shred: note, shredAgain: note, close }
  return { producer, asked }
}

const shardOf = (key: string) => Number(key.slice(2)) % 2

it('one producer is used as it is: nothing stands between', () => {
  const { producer } = producerThatRemembers()

  expect(spreadProducers([producer], shardOf)).toBe(producer)
})

it('several each get their own payments, and all are closed', async () => {
  const [even, odd] = [producerThatRemembers(), producerThatRemembers()]
  const producer = spreadProducers([even.producer, odd.producer], shardOf)

  for (const key of ['p_1', 'p_2', 'p_3']) {
    await producer.add({ key, attempt: 1 }, 'sealed', 1000)
    await producer.shred({ key, attempt: 1 })
    await producer.shredAgain({ key, attempt: 1 })
    expect(producer.awayForMs({ key, attempt: 1 })).toBeGreaterThan(0)
  }
  await producer.close()

  expect(even.asked).toEqual(['p_2', 'p_2', 'p_2', 'p_2', 'close'])
  expect(odd.asked).toEqual(['p_1', 'p_1', 'p_1', 'p_1', 'p_3', 'p_3', 'p_3', 'p_3', 'close'])
})
