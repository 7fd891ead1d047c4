import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { measureOldestWaiting, type Places } from './oldest-waiting.ts'

async function valuesOf(registry: Registry) {
  const [metric] = await registry.getMetricsAsJSON()
  return metric?.values.map(({ labels, value }) => [labels.where, value])
}

const measure = (places: Places) => {
  const registry = new Registry()
  measureOldestWaiting(registry, places)
  return registry
}

describe('the payment that has waited longest', () => {
  it('is looked for where payments wait, in seconds, whenever somebody asks', async () => {
    let ms = 1500
    const registry = measure({ lane: () => 0, queue: async () => ms })
    expect(await valuesOf(registry)).toEqual([
      ['lane', 0],
      ['queue', 1.5],
    ])

    ms = 0

    expect(await valuesOf(registry)).toContainEqual(['queue', 0])
  })

  it('is not said to be young while the queue is away', async () => {
    let queue = async () => 500
    const registry = measure({ lane: () => 250, queue: () => queue() })
    await valuesOf(registry)

    queue = async () => Promise.reject(new Error('away'))

    expect(await valuesOf(registry)).toEqual([['lane', 0.25]])
  })
})
