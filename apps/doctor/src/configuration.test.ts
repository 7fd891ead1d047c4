import { describe, expect, it } from 'vitest'
import { examineConfiguration } from './configuration.ts'
import { lookAlikes } from './look-alikes.ts'
import { readSettings } from './settings.ts'
import { key } from './testing.ts'

const proper = {
  QUEUE_REDIS_URL: 'rediss://queue.example',
  LEDGER_REDIS_URL: 'rediss://ledger.example',
  SEAL_KEYS: `k1:${key()}`,
  LEDGER_KEY: key(),
  PAYCONEX_URL: 'https://secure.payconex.net',
}
const examine = (changes: Record<string, string | undefined>) =>
  examineConfiguration({ ...proper, ...changes }, ['gateway', 'worker'])
const problemsOf = (changes: Record<string, string | undefined>) =>
  examine(changes)
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state, seen, do: todo }) => ({ name, state, seen, todo }))

describe('a configuration', () => {
  it('that can be used is one line', () => {
    expect(examine({})).toEqual([
      { name: 'configuration', state: 'ok', seen: '5 variables are set for gateway and worker, all can be used' },
    ])
  })

  it('that is wrong is named variable by variable, also what only one of the two would refuse', () => {
    const found = problemsOf({
      LEDGER_KEY: undefined,
      SEND_BY_MS: 'soon',
      CURRENCIES: ',',
      PAYCONEX_RESERVE: 'sometimes',
    })

    expect(found.map(({ name, seen }) => `${name} | ${seen}`)).toEqual([
      'configuration | LEDGER_KEY: is required',
      expect.stringMatching(/^configuration \| SEND_BY_MS: must be a whole number/),
      expect.stringMatching(/^configuration \(worker\) \| PAYCONEX_RESERVE: must be one of/),
    ])
    expect(problemsOf({ CURRENCIES: ',' })).toMatchObject([{ name: 'configuration (gateway)', state: 'wrong' }])
  })

  it.each([
    ['times that contradict each other', { SEND_BY_MS: '40000' }, 'SEND_BY_MS + PAYCONEX_TIMEOUT_MS <= ANSWER_BY_MS'],
    ['one server for both', { LEDGER_REDIS_URL: proper.QUEUE_REDIS_URL }, 'start a second Redis'],
    ['a key that is not random', { LEDGER_KEY: Buffer.alloc(32).toString('base64') }, 'npm run -s keys -- ledger'],
    ['a key that is short', { SEAL_KEYS: 'k1:short' }, 'npm run -s keys -- new'],
    ['one key for both', { LEDGER_KEY: proper.SEAL_KEYS.slice(3) }, 'npm run -s keys -- new'],
    ['quotes that came along', { PAYCONEX_URL: '"https://secure.payconex.net"' }, 'take the quotes around it away'],
    ['blanks that came along', { LEDGER_KEY: `${proper.LEDGER_KEY} ` }, 'take the blanks'],
    ['a name that is misspelt', { SEAL_KEYS: undefined, SEAL_KEY: proper.SEAL_KEYS }, 'rename SEAL_KEY to SEAL_KEYS'],
    ['a file that is not there', { SEAL_KEYS: undefined, SEAL_KEYS_FILE: '/no/such/file' }, 'whether it is there'],
  ])('with %s says what to do', (_, changes, todo) => {
    expect(problemsOf(changes)).toContainEqual(
      expect.objectContaining({ state: 'wrong', todo: expect.stringContaining(todo) }),
    )
  })

  it('is warned about where something is set that nobody reads', () => {
    expect(problemsOf({ PAYCONEX_URI: 'x', LEDGER_COLOUR: 'x', SEAL_KEYS_FILE: '/a' })).toEqual([
      expect.objectContaining({
        state: 'warning',
        seen: expect.stringContaining('PAYCONEX_URI'),
        todo: 'did you mean PAYCONEX_URL?',
      }),
      expect.objectContaining({ state: 'warning', seen: 'LEDGER_COLOUR is set and nothing reads it' }),
      expect.objectContaining({ state: 'warning', seen: 'SEAL_KEYS and SEAL_KEYS_FILE are set; the file is not read' }),
    ])
  })

  it('is never told with a value', () => {
    const canary = 'canary0canary'
    const changes = Object.fromEntries(
      [...Object.keys(proper), 'PORT', 'MODE', 'PAYCONEX_PROXY_URL', 'DEFAULT_PARAMETERS', 'PAYCONEX_URI'].map(
        (name) => [name, canary],
      ),
    )

    expect(JSON.stringify(examine(changes))).not.toContain(canary)
  })
})

describe('a name that looks like one of ours', () => {
  const known = ['SEAL_KEYS', 'PAYCONEX_URL', 'PORT', 'HOST', 'MODE', 'TRIES', 'SHARDS', 'QUEUE_REDIS_URL', 'LOG_LEVEL']
  const meant = (name: string) => lookAlikes({ [name]: 'x' }, known)

  it.each([
    ['SEAL_KEY', 'SEAL_KEYS'],
    ['SEALKEYS', 'SEAL_KEYS'],
    ['seal_keys', 'SEAL_KEYS'],
    ['PAYCONEX_URI', 'PAYCONEX_URL'],
    ['PAYCONX_URL', 'PAYCONEX_URL'],
    ['QUEUE_REDIS_URI', 'QUEUE_REDIS_URL'],
    ['SHARD', 'SHARDS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('%s is taken for %s', (name, other) => {
    expect(meant(name)).toEqual([{ name, meant: other }])
  })

  it.each([
    'HOME',
    'TERM',
    'POST',
    'HOSTNAME',
    'PATH',
    'QUEUE_SERVICE_HOST',
    'QUEUE_PORT_6379_TCP',
    'LEDGER_PORT',
    'SEAL_KEYS_FILE',
  ])('%s is left alone', (name) => {
    expect(meant(name)).toEqual([])
  })

  it('and is near to none of them is told all the same when it begins like ours', () => {
    expect(meant('LEDGER_COLOUR')).toEqual([{ name: 'LEDGER_COLOUR' }])
  })
})

describe('the settings that the rest is looked at with', () => {
  it('have what can be read, and defaults for what cannot', () => {
    const settings = readSettings({ ...proper, LEDGER_KEY: 'short', TRIES: 'many', SHARDS: '3' })

    expect(settings).toMatchObject({
      QUEUE_REDIS_URL: proper.QUEUE_REDIS_URL,
      SHARDS: 3,
      TRIES: 6,
      MAX_WAITING: 20_000,
    })
    expect(settings.LEDGER_KEY).toBeUndefined()
  })
})
