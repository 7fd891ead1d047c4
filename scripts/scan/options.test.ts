import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HELP, readOptions } from './options.ts'

const VISA = '4111111111111111'
const servers = { QUEUE_REDIS_URL: 'redis://127.0.0.1:1', LEDGER_REDIS_URL: 'redis://127.0.0.1:2' }

describe('the options of a scan', () => {
  it('are both servers and every shape, when nothing is said', () => {
    expect(readOptions([], servers)).toMatchObject({
      values: [],
      redis: ['redis://127.0.0.1:1', 'redis://127.0.0.1:2'],
      paths: [],
    })
  })

  it('are servers whose URLs are in files, as gateways and workers take them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pay-scan-options-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'queue-redis-url')
    writeFileSync(file, 'redis://operator:secret@127.0.0.1:3\n')

    const env = { QUEUE_REDIS_URL_FILE: file, LEDGER_REDIS_URL: servers.LEDGER_REDIS_URL }

    expect(readOptions([], env)).toMatchObject({
      redis: ['redis://operator:secret@127.0.0.1:3', 'redis://127.0.0.1:2'],
    })
    expect(() => readOptions([], { QUEUE_REDIS_URL_FILE: folder })).toThrow(
      'QUEUE_REDIS_URL_FILE cannot be read: EISDIR',
    )
  })

  it('take servers, paths and cards, each several times', () => {
    const args = ['--redis', 'redis://a', '--redis', 'rediss://b', '--path', 'x', '--path', 'y', '--card', VISA]

    expect(readOptions(args, servers)).toMatchObject({
      values: [VISA],
      redis: ['redis://a', 'rediss://b'],
      paths: ['x', 'y'],
    })
  })

  it.each([
    ['nothing to look at', []],
    ['a server that is none', ['--redis', 'http://a']],
    ['a cluster, of which some nodes may not be named', ['--redis', 'redis+cluster://a,b']],
    ['a value that would be everywhere', ['--path', 'x', '--card', '12']],
    ['values that cannot be read', ['--path', 'x', '--values', '/nowhere/values']],
    ['an empty list of values', ['--path', 'x', '--values', '/dev/null']],
    ['an unknown option', ['--cards', 'x']],
    ['a card without its option', ['--path', 'x', VISA]],
  ])('are refused: %s', (_, args) => {
    const refused = () => readOptions(args, {})

    expect(refused).toThrow(TypeError)
    expect(refused).not.toThrow(VISA)
  })

  it('stand in the help', () => {
    for (const name of ['values', 'card', 'every-run', 'redis', 'memory-only', 'path', 'json']) {
      expect(HELP).toContain(`--${name}`)
    }
    expect(readOptions(['--help'], {})).toBe('help')
  })
})
