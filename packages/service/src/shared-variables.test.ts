import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError, readEnvironment } from './environment.ts'
import { contradictionsOf, sharedVariables } from './shared-variables.ts'

const proper = {
  QUEUE_REDIS_URL: 'rediss://queue.example',
  LEDGER_REDIS_URL: 'rediss://ledger.example',
  SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  LEDGER_KEY: randomBytes(32).toString('base64'),
  PAYCONEX_URL: 'https://secure.payconex.net',
}
const read = (changes: Record<string, string> = {}) =>
  readEnvironment(z.object(sharedVariables), { ...proper, ...changes })
const contradictions = (changes: Record<string, string>) => contradictionsOf(read(changes))

const HTTPS = 'PAYCONEX_URL must be https:// unless it is on this machine'
const TRIALS = 'MODE=relaxed serves only a PayConex on this machine or for certification'
const SCALE = 'TIME_SCALE must be 1 unless PAYCONEX_URL is on this machine'
const TWO = 'QUEUE_REDIS_URL and LEDGER_REDIS_URL must be two servers'
const SERVER = 'must name a server and nothing behind it'
const PLACE = 'must name a host and at most a path'
const plaintext = (name: string) => `${name} must be rediss:// (or set ALLOW_PLAINTEXT_REDIS=true)`

describe('variables that are each right', () => {
  it.each<[string, Record<string, string>]>([
    ['for production', {}],
    ['with Redis beside us', { QUEUE_REDIS_URL: 'redis://127.0.0.1:1', LEDGER_REDIS_URL: 'redis://10.0.0.2' }],
    ['with Redis in containers', { QUEUE_REDIS_URL: 'redis://queue', LEDGER_REDIS_URL: 'redis://ledger' }],
    [
      'with clusters',
      { QUEUE_REDIS_URL: 'rediss+cluster://q1.example,q2.example', LEDGER_REDIS_URL: 'redis+cluster://10.0.0.2:1' },
    ],
    ['with plaintext allowed', { QUEUE_REDIS_URL: 'redis://queue.example', ALLOW_PLAINTEXT_REDIS: 'true' }],
    ['with the simulator on this machine', { PAYCONEX_URL: 'http://127.0.0.1:8090', TIME_SCALE: '0.1' }],
    ['in relaxed mode, for certification', { MODE: 'relaxed', PAYCONEX_URL: 'https://cert.payconex.net' }],
    ['in relaxed mode, with a simulator in a container', { MODE: 'relaxed', PAYCONEX_URL: 'http://simulator:8090' }],
    [
      'with two servers on one host',
      { QUEUE_REDIS_URL: 'rediss://r.example:1', LEDGER_REDIS_URL: 'rediss://r.example:2' },
    ],
  ])('may go together %s', (_, changes) => {
    expect(contradictions(changes)).toEqual([])
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['PayConex in plain text', { PAYCONEX_URL: 'http://secure.payconex.net' }, [HTTPS]],
    ['PayConex in plain text in the next container', { PAYCONEX_URL: 'http://simulator' }, [HTTPS]],
    ['relaxed rules where money moves', { MODE: 'relaxed' }, [TRIALS]],
    [
      'relaxed rules and certification in plain text',
      { MODE: 'relaxed', PAYCONEX_URL: 'http://cert.payconex.net' },
      [TRIALS],
    ],
    [
      'relaxed rules and a name that only looks private',
      { MODE: 'relaxed', PAYCONEX_URL: 'https://10.evil.example' },
      [TRIALS],
    ],
    ['shorter times where money moves', { TIME_SCALE: '0.5' }, [SCALE]],
    ['a queue in plain text', { QUEUE_REDIS_URL: 'redis://queue.example' }, [plaintext('QUEUE_REDIS_URL')]],
    ['a ledger in plain text', { LEDGER_REDIS_URL: 'redis://ledger.example' }, [plaintext('LEDGER_REDIS_URL')]],
    [
      'a cluster in plain text, of whose nodes one is not near',
      { QUEUE_REDIS_URL: 'redis+cluster://10.0.0.1,queue.example' },
      ['QUEUE_REDIS_URL must be rediss+cluster:// (or set ALLOW_PLAINTEXT_REDIS=true)'],
    ],
    ['a node of both', { LEDGER_REDIS_URL: 'rediss+cluster://ledger.example,queue.example:6379' }, [TWO]],
    ['one server for both', { LEDGER_REDIS_URL: proper.QUEUE_REDIS_URL }, [TWO]],
    ['one server for both, as another user', { LEDGER_REDIS_URL: 'rediss://u:p@queue.example:6379/0' }, [TWO]],
    ['times', { SEND_BY_MS: '60000' }, ['SEND_BY_MS + PAYCONEX_TIMEOUT_MS must not exceed ANSWER_BY_MS']],
    [
      'one key for two purposes',
      { SEAL_KEYS: `k1:${proper.LEDGER_KEY}` },
      ['SEAL_KEYS: k1 is the same key as LEDGER_KEY; each needs its own'],
    ],
    [
      'several things at once',
      { PAYCONEX_URL: 'http://secure.payconex.net', TIME_SCALE: '0.5', LEDGER_REDIS_URL: proper.QUEUE_REDIS_URL },
      [SCALE, HTTPS, TWO],
    ],
  ])('may contradict each other: %s', (_, changes, lines) => {
    expect(contradictions(changes)).toEqual(lines)
  })
})

describe('a variable', () => {
  it.each([
    ['QUEUE_REDIS_URL', 'http://queue', 'must be a URL that starts with redis:// or rediss://'],
    ['LEDGER_REDIS_URL', 'ledger:6379', 'must be a URL that starts with redis:// or rediss://'],
    ['QUEUE_REDIS_URL', 'rediss://u:p@queue.example/1', SERVER],
    ['LEDGER_REDIS_URL', 'rediss://u:p@ledger.example/ledger', SERVER],
    ['LEDGER_REDIS_URL', 'rediss://u:p@ledger.example?db=1', SERVER],
    ['LEDGER_REDIS_URL', 'rediss://u:p@ledger.example#1', SERVER],
    ['QUEUE_REDIS_URL', 'redis:', SERVER],
    ['QUEUE_REDIS_URL', 'redis://one.example,two.example', SERVER],
    ['QUEUE_REDIS_URL', 'rediss+cluster://one.example,two.example/1', SERVER],
    ['LEDGER_REDIS_URL', 'redis+sentinel://one.example', 'must be a URL that starts with redis:// or rediss://'],
    ['PAYCONEX_URL', 'secure.payconex.net', 'must be a URL that starts with https:// or http://'],
    ['PAYCONEX_URL', 'ftp://secure.payconex.net', 'must be a URL that starts with https:// or http://'],
    ['PAYCONEX_URL', 'https://user:secret@secure.payconex.net', PLACE],
    ['PAYCONEX_URL', 'https://secure.payconex.net?to=', PLACE],
    ['PAYCONEX_URL', 'https://secure.payconex.net#', PLACE],
    ['PAYCONEX_URL', 'https://private\\@secure.payconex.net', PLACE],
    ['LEDGER_KEY', randomBytes(16).toString('base64'), 'must be base64 of 32 random bytes'],
    ['LEDGER_KEY', 'correct horse battery staple, correct horse battery', 'must be base64 of 32 random bytes'],
    ['LEDGER_KEY', randomBytes(32).toString('hex'), 'must be base64 of 32 random bytes'],
    ['SEAL_KEYS', 'k1:short', 'must be kid:base64(32 random bytes)'],
    ['MODE', 'lenient', 'must be one of strict, relaxed'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error'],
    ['SHARDS', '65', 'must be a whole number from 1 to 64'],
    ['SHARDS', '0', 'must be a whole number from 1 to 64'],
    ['LEDGER_REPLICAS_ACK', '11', 'must be a whole number from 0 to 10'],
    ['LEDGER_RETENTION_DAYS', '99999', 'must be a whole number from 1 to 3650'],
    ['CA_FILE', 'no/such/file', 'the file cannot be read'],
  ])('such as %s=%s is refused by its name and never by its value', (name, value, problem) => {
    const problems = () => read({ [name]: value })

    expect(problems).toThrow(ConfigurationError)
    expect(problems).toThrow(`${name}: ${problem}`)
    expect(problems).not.toThrow(value)
  })

  it.each([0, 10])('such as LEDGER_REPLICAS_ACK may be %i', (replicas) => {
    expect(read({ LEDGER_REPLICAS_ACK: String(replicas) }).LEDGER_REPLICAS_ACK).toBe(replicas)
  })

  it('such as a URL of PayConex may end with slashes, which are dropped', () => {
    expect(read({ PAYCONEX_URL: 'https://secure.payconex.net//' }).PAYCONEX_URL).toBe('https://secure.payconex.net')
  })
})
