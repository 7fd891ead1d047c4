import { describe, expect, it } from 'vitest'
import { readWorkerEnvironment } from './environment.ts'

const key = (seed: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (index * seed) % 251)).toString('base64')
const env = {
  QUEUE_REDIS_URL: 'redis://127.0.0.1:1',
  LEDGER_REDIS_URL: 'redis://127.0.0.1:2',
  SEAL_KEYS: `k1:${key(3)}`,
  LEDGER_KEY: key(7),
  PAYCONEX_URL: 'https://cert.payconex.net',
}

describe('the worker’s environment', () => {
  it('has the defaults of the design', () => {
    expect(readWorkerEnvironment(env)).toMatchObject({
      OPS_PORT: 9091,
      PAYCONEX_RESERVE: 'required',
      WORKER_CONCURRENCY: 100,
      EXTRA_PARAMETERS: [],
      DEFAULT_PARAMETERS: {},
      MODE: 'strict',
    })
  })

  it('takes default parameters as JSON', () => {
    const read = readWorkerEnvironment({ ...env, DEFAULT_PARAMETERS: '{"payment_type":"MOTO"}' })

    expect(read.DEFAULT_PARAMETERS).toEqual({ payment_type: 'MOTO' })
  })

  it.each([
    ['DEFAULT_PARAMETERS', 'payment_type=MOTO'],
    ['DEFAULT_PARAMETERS', '{"a":1}'],
    ['PAYCONEX_RESERVE', 'sometimes'],
    ['WORKER_CONCURRENCY', '0'],
    ['LATE_APPROVAL', 'reverse'],
  ])('is refused for %s=%s, by name', (name, value) => {
    expect(() => readWorkerEnvironment({ ...env, [name]: value })).toThrow(name)
  })

  it.each([
    ['a parameter that callers may never set', { EXTRA_PARAMETERS: 'api_accesskey' }],
    ['a default that callers may never set', { DEFAULT_PARAMETERS: '{"token_id":"1"}' }],
  ])('is refused for %s', (_, change) => {
    expect(() => readWorkerEnvironment({ ...env, ...change })).toThrow(Object.keys(change)[0])
  })
})
