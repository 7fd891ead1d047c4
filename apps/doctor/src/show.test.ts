import { PassThrough } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { askCredentials } from './ask.ts'
import { notChecked, ok, warning, wrong } from './finding.ts'
import { readOptions, WrongUsage } from './options.ts'
import { show } from './show.ts'

const findings = [
  wrong('ledger: settings', 'appendonly must be "yes"', 'CONFIG SET appendonly yes'),
  ok('Node', 'version 24.1.0'),
  warning('a name that is longer than its column has room for', `${'word '.repeat(60)}end`, `${'todo '.repeat(60)}end`),
  notChecked('PayConex: credentials', 'none were given'),
]

describe('what people are shown', () => {
  const lines = show(findings, { colours: false }).split('\n')

  it('has the problems last, each with what to do below it', () => {
    const order = ['Node', 'PayConex: credentials', 'a name that', 'ledger: settings']
    const places = order.map((name) => lines.findIndex((line) => line.includes(name)))

    expect(places).toEqual([...places].sort((one, other) => one - other))
    expect(lines.at(-4)).toBe('              do: CONFIG SET appendonly yes')
    expect(lines.at(-2)).toBe('Something is wrong: 1 ok, 1 not checked, 1 warning, 1 wrong.')
  })

  it('fits into 100 columns and loses no word', () => {
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100)
    expect(lines.join(' ').match(/\bword\b/g)).toHaveLength(60)
    expect(lines.join(' ').match(/\btodo\b/g)).toHaveLength(60)
  })

  it('is coloured only where that is wanted, and never steers a terminal', () => {
    const steering = [ok('Redis', '\x1b[2Jgone\u0007')]

    expect(show(steering, { colours: false })).not.toContain('\x1b')
    expect(show(findings, { colours: true })).toContain('\x1b[31m')
  })
})

describe('the arguments', () => {
  it('say whose work it is, and how the answer is written', async () => {
    expect(await readOptions(['--json', '--role', 'worker'], {})).toMatchObject({ json: true, roles: ['worker'] })
    expect(await readOptions([], {})).toMatchObject({
      json: false,
      roles: ['gateway', 'worker'],
      credentials: undefined,
    })
    expect(await readOptions(['--help'], {})).toBe('help')
  })

  it.each<[string, string[], Record<string, string>]>([
    ['an unknown flag', ['--charge'], {}],
    ['an unknown role', ['--role', 'operator'], {}],
    ['a word too many', ['now'], {}],
    ['half of the credentials', [], { DOCTOR_ACCOUNT: '120615000000' }],
    ['a key where the account should be', [], { DOCTOR_ACCOUNT: 'canary0', DOCTOR_ACCESS_KEY: '120615000000' }],
    ['a key’s file that is not there', [], { DOCTOR_ACCOUNT: '1', DOCTOR_ACCESS_KEY_FILE: '/no/such/file' }],
  ])('are refused with %s, without a value', async (_, args, env) => {
    const refused = await readOptions(args, env).catch((error: unknown) => error)

    expect(refused).toBeInstanceOf(WrongUsage)
    expect(String(refused)).not.toContain('canary0')
  })
})

describe('a person who is asked for credentials', () => {
  it('does not see what is typed', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const shown: string[] = []
    output.on('data', (text) => void shown.push(String(text)))

    const asked = askCredentials({ input, output })
    input.write('120615000000\r')
    await vi.waitFor(() => expect(shown.join('')).toContain('API access key'))
    input.write('canary0access0key\r')

    expect(await asked).toEqual({ account: '120615000000', accessKey: 'canary0access0key' })
    expect(shown.join('')).toBe('PayConex account id (not shown): \nAPI access key (not shown): \n')
  })

  it('may give up', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()]

    const asked = askCredentials({ input, output })
    input.write('\x03')

    await expect(asked).rejects.toThrow('aborted')
  })
})
