import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from './environment.ts'
import { readGatewayEnvironment } from './gateway-environment.ts'

/** A file that can be read. */
const HERE = fileURLToPath(import.meta.url)

const required = {
  QUEUE_REDIS_URL: 'redis://127.0.0.1:6379',
  LEDGER_REDIS_URL: 'redis://127.0.0.1:6380',
  SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  LEDGER_KEY: randomBytes(32).toString('base64'),
  PAYCONEX_URL: 'https://cert.payconex.net',
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readGatewayEnvironment(env)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

describe('the gateway’s environment', () => {
  it('needs five variables and has documented defaults for the rest', () => {
    expect(readGatewayEnvironment(required)).toMatchObject({
      PORT: 8080,
      HOST: '0.0.0.0',
      OPS_PORT: 9090,
      OPS_HOST: '127.0.0.1',
      ALLOWED_ACCOUNTS: [],
      CURRENCIES: ['USD'],
      MAX_WAITING: 20_000,
      BAD_CREDENTIALS_LIMIT: 20,
      BAD_CREDENTIALS_WINDOW_MS: 600_000,
      CARD_TESTING_DECLINES: 50,
      CARD_TESTING_APPROVED_PERCENT: 20,
      CARD_TESTING_WINDOW_MS: 600_000,
      MODE: 'strict',
      LOG_LEVEL: 'info',
      SHARDS: 1,
      LEDGER_RETENTION_DAYS: 7,
    })
  })

  it('names all that is missing at once', () => {
    expect(problemsOf({})).toEqual(Object.keys(required).map((name) => `${name}: is required`))
  })

  it('reads lists with spaces, and currencies in either case', () => {
    const env = readGatewayEnvironment({ ...required, ALLOWED_ACCOUNTS: ' 1, 2 ,', CURRENCIES: 'usd, Cad' })

    expect(env).toMatchObject({ ALLOWED_ACCOUNTS: ['1', '2'], CURRENCIES: ['USD', 'CAD'] })
  })

  it.each([
    ['a port too high', { PORT: '65536' }, 'PORT: must be a whole number from 0 to 65535'],
    ['a port in words', { OPS_PORT: 'http' }, 'OPS_PORT: must be a whole number from 0 to 65535'],
    ['no room at all', { MAX_WAITING: '0' }, /^MAX_WAITING: must be a whole number from 1 to/],
    ['no currency', { CURRENCIES: ' , ' }, 'CURRENCIES: must name at least one'],
    ['a certificate without its key', { TLS_CERT_FILE: HERE }, 'TLS_CERT_FILE and TLS_KEY_FILE belong together'],
    ['a key without its certificate', { TLS_KEY_FILE: HERE }, 'TLS_CERT_FILE and TLS_KEY_FILE belong together'],
    ['a key that is not there', { TLS_CERT_FILE: HERE, TLS_KEY_FILE: 'none' }, 'TLS_KEY_FILE: the file cannot be read'],
    ['a certificate that is none', { TLS_CERT_FILE: HERE, TLS_KEY_FILE: HERE }, /^TLS_CERT_FILE: holds no certificate/],
    ['everybody as a proxy', { TRUST_PROXY: 'true' }, /^TRUST_PROXY: must be a number of proxies from 0 to 10/],
    [
      'a share above all',
      { CARD_TESTING_APPROVED_PERCENT: '101' },
      'CARD_TESTING_APPROVED_PERCENT: must be a whole number from 0 to 100',
    ],
    ['no window', { BAD_CREDENTIALS_WINDOW_MS: '0' }, /^BAD_CREDENTIALS_WINDOW_MS: must be a whole number from 1 to/],
    ['one Redis for both', { LEDGER_REDIS_URL: required.QUEUE_REDIS_URL }, /must be two servers$/],
  ])('is refused with %s', (_, changes, problem) => {
    expect(problemsOf({ ...required, ...changes })).toEqual([expect.stringMatching(problem)])
  })

  it('that is wrong in several ways is refused once, with all of them', () => {
    const env = {
      ...required,
      LEDGER_REDIS_URL: required.QUEUE_REDIS_URL,
      PORT: 'x',
      SEND_BY_MS: '50000',
      TLS_CERT_FILE: HERE,
      CURRENCIES: ',',
    }

    expect(problemsOf(env)).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'SEND_BY_MS + PAYCONEX_TIMEOUT_MS must not exceed ANSWER_BY_MS',
      'QUEUE_REDIS_URL and LEDGER_REDIS_URL must be two servers',
      'TLS_CERT_FILE and TLS_KEY_FILE belong together',
      'CURRENCIES: must name at least one',
    ])
  })
})
