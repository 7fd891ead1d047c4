import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readWorkerEnvironment } from './worker-environment.ts'

const key = () => randomBytes(32).toString('base64')
const env = {
  QUEUE_REDIS_URL: 'redis://127.0.0.1:1',
  LEDGER_REDIS_URL: 'redis://127.0.0.1:2',
  SEAL_KEYS: `k1:${key()}`,
  LEDGER_KEY: key(),
  PAYCONEX_URL: 'https://cert.payconex.net',
}

describe('the worker’s environment', () => {
  it('has the defaults of the design', () => {
    expect(readWorkerEnvironment(env)).toMatchObject({
      OPS_PORT: 9091,
      PAYCONEX_RESERVE: 'required',
      IDS_AHEAD: 64,
      WORKER_CONCURRENCY: 100,
      LATE_APPROVAL: 'report',
      EXTRA_PARAMETERS: [],
      DEFAULT_PARAMETERS: {},
      MODE: 'strict',
    })
  })

  it('takes default parameters as JSON', () => {
    const read = readWorkerEnvironment({ ...env, DEFAULT_PARAMETERS: '{"payment_type":"MOTO"}' })

    expect(read.DEFAULT_PARAMETERS).toEqual({ payment_type: 'MOTO' })
  })

  it('may say that late approvals are reversed', () => {
    expect(readWorkerEnvironment({ ...env, LATE_APPROVAL: 'reverse' }).LATE_APPROVAL).toBe('reverse')
  })

  it.each([
    ['DEFAULT_PARAMETERS', 'payment_type=MOTO'],
    ['DEFAULT_PARAMETERS', '{"a":1}'],
    ['PAYCONEX_RESERVE', 'sometimes'],
    ['WORKER_CONCURRENCY', '0'],
    ['PAYCONEX_PROXY_URL', 'proxy.example:3128'],
    ['PAYCONEX_PROXY_URL', 'socks5://proxy.example:1080'],
    ['PAYCONEX_PROXY_URL', 'http://proxy.example:3128/path'],
    ['PAYCONEX_PROXY_URL', 'http://user:50%off@proxy.example:3128'],
    ['PAYCONEX_PROXY_URL', 'http://'],
    ['LATE_APPROVAL', 'ignore'],
  ])('is refused for %s=%s, by name', (name, value) => {
    expect(() => readWorkerEnvironment({ ...env, [name]: value })).toThrow(name)
  })

  it('may name a proxy, which carries TLS only', () => {
    const PAYCONEX_PROXY_URL = 'http://user:p%40ss@proxy.example:3128'

    expect(readWorkerEnvironment({ ...env, PAYCONEX_PROXY_URL })).toMatchObject({ PAYCONEX_PROXY_URL })
    const plain = () => readWorkerEnvironment({ ...env, PAYCONEX_PROXY_URL, PAYCONEX_URL: 'http://127.0.0.1:1' })
    expect(plain).toThrow('PAYCONEX_PROXY_URL is only for')
    expect(plain).not.toThrow('ss@')
  })

  it.each([
    ['a parameter that callers may never set', { EXTRA_PARAMETERS: 'api_accesskey' }],
    ['a default that callers may never set', { DEFAULT_PARAMETERS: '{"token_id":"1"}' }],
  ])('is refused for %s', (_, change) => {
    expect(() => readWorkerEnvironment({ ...env, ...change })).toThrow(Object.keys(change)[0])
  })
})
