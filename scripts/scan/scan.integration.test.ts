import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../process/free-port.ts'
import { type RunningRedis, startRedis } from '../redis/redis.ts'

/** The scan as a process, on real servers and files in which cards were planted. */

const VISA = '4111111111111111'
const MASTERCARD = '5555555555554444'
const EXPIRES_MS = 300
const program = fileURLToPath(new URL('../scan.ts', import.meta.url))

type Ended = { code: number | null; out: string }

function scan(args: readonly string[], { input = '', env = {} } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, ...env } })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (out += text))
  child.stdin.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })))
}

let folder: string
let ledger: RunningRedis
let redis: Redis

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pay-scan-test-'))
  // A server keeps its memory and its files on this machine, as far as the scan can know.
  ledger = await startRedis({ kind: 'ledger', appendfsync: 'no', args: ['--slowlog-log-slower-than', '0'] })
  redis = new Redis(ledger.url).on('error', () => undefined)
})

afterAll(async () => {
  redis?.disconnect()
  await ledger?.stop()
  await rm(folder, { recursive: true, force: true })
})

beforeEach(async () => {
  await redis.flushall()
  await redis.call('SLOWLOG', 'RESET')
})

const diskOf = async (): Promise<string> => String(((await redis.call('CONFIG', 'GET', 'dir')) as string[])[1])

describe('a server', () => {
  it('that holds no card is clean, whatever numbers it holds', async () => {
    await redis.hset('{s0}:payment:p_1', { v: '12.50', t: Date.now(), r: '059724454989', s: 'a' })
    await redis.zadd('{s0}:open', Date.now(), 'p_1')

    expect(await scan(['--redis', ledger.url, '--memory-only'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^clean: 2 keys, 0 files, /),
    })
  })

  it('is looked through in every corner of its memory, and no card is printed, not even where a key is one', async () => {
    await redis.set('a:string', `${'x'.repeat(1024 * 1024 - 8)}${VISA}`)
    await redis.hset('a:hash', { field: VISA, [`of ${VISA}`]: '1' })
    await redis.rpush('a:list', ...Array(600).fill('x'), VISA)
    await redis.sadd('a:set', VISA)
    await redis.zadd('a:ranking', VISA, 'by score', 1, `member ${VISA}`)
    await redis.xadd('a:stream', '*', 'field', VISA)
    await redis.xgroup('CREATE', 'a:stream', `group-${VISA}`, '$')
    await redis.setex(`card:${VISA}`, 60, 'x')
    await redis.select(3)
    await redis.set('elsewhere', VISA)
    await redis.select(0)
    const listener = new Redis(ledger.url, { connectionName: `listener-${VISA}` })
    await listener.subscribe(`channel-${VISA}`)

    const { code, out } = await scan(['--redis', ledger.url, '--memory-only'])

    listener.disconnect()
    expect(code).toBe(1)
    for (const place of [
      '"a:string", byte 1048568',
      '"a:hash", field "field"',
      '"a:hash", the name of field "of <card number>"',
      '"a:list", element 600',
      '"a:set", a member',
      '"a:ranking", the score of "by score"',
      '"a:ranking", the name of member "member <card number>"',
      '"a:stream", entry ',
      '"a:stream", its groups and consumers',
      'the name of "card:<card number>"',
      'db 3, "elsewhere"',
      'slow commands',
      'clients',
      'channels',
    ]) {
      expect(out).toContain(place)
    }
    expect(out).not.toContain(VISA)
  })

  it('is looked through on its disk, too: what was deleted is still in the history', async () => {
    await ledger.restartEmpty()
    await redis.set('gone', VISA)
    await redis.del('gone')
    await redis.call('SLOWLOG', 'RESET')

    const { code, out } = await scan([], { env: { LEDGER_REDIS_URL: ledger.url } })

    expect(code).toBe(1)
    expect(out).toMatch(/^FOUND {5}card number: \S+incr\.aof, key "gone", byte \d+\nfound in 1 places/)
  })

  it('that is away, or says no, was not looked at', async () => {
    await redis.call('ACL', 'SETUSER', 'half', 'on', '>half', '~*', '+@read', '+@connection', '+info', '-type')
    await redis.set('a', 'b')

    const away = await scan(['--redis', `redis://:hidden@127.0.0.1:${await freePort()}`])
    const refused = await scan(['--redis', ledger.url.replace('//', '//half:half@')])

    expect(away).toEqual({ code: 2, out: expect.stringMatching(/NOT SEEN {2}redis:\/\/127.0.0.1:\d+: ECONNREFUSED/) })
    expect(refused.code).toBe(2)
    expect(refused.out).toMatch(/NOT SEEN .* "a": NOPERM/)
    expect(refused.out).toMatch(/NOT SEEN .* slow commands: NOPERM/)
    expect(refused.out).toMatch(/NOT SEEN .* files: NOPERM/)
  })
})

describe('files', () => {
  it('of every kind are looked through: a dump of Redis, logs, what a crash leaves', async () => {
    await redis.set('compressed', `${'x'.repeat(300)}${VISA}${'y'.repeat(300)}`)
    await redis.hset('packed', 'field', VISA)
    const place = join(folder, 'kinds')
    await mkdir(join(place, 'below'), { recursive: true })
    // In one go: it must be in the dump, and have expired when that is read.
    await redis.pipeline().psetex('expired', EXPIRES_MS, VISA).save().exec()
    const dump = join(await diskOf(), 'dump.rdb')
    await writeFile(join(place, 'plain.log'), `line\n{"card":"${VISA}"}\n`)
    await writeFile(join(place, 'below', 'old.log.gz'), gzipSync(`${'line\n'.repeat(1e5)}${VISA}`))
    await writeFile(join(place, 'below', 'old.log.zst'), zstdCompressSync(`${'line\n'.repeat(1e5)}${VISA}`))
    await writeFile(join(place, 'core'), Buffer.concat([Buffer.alloc(3e6, 7), Buffer.from(VISA, 'utf16le')]))
    await writeFile(join(place, `report-${VISA}.json`), '{}')
    await symlink(place, join(place, 'below', 'round'))
    await symlink(dump, join(place, 'dump'))
    await symlink(join(place, 'plain.log'), join(place, `too-${VISA}`))
    await sleep(EXPIRES_MS)

    const { code, out } = await scan(['--path', place, '--values', '-'], { input: `${MASTERCARD}\n${VISA}\n` })

    expect(code).toBe(1)
    for (const found of [
      'card number 2: REPLACED/plain.log, byte 14',
      'card number 2: REPLACED/below/old.log.gz, byte 500000',
      'card number 2: REPLACED/below/old.log.zst, byte 500000',
      'card number 2 in UTF-16: REPLACED/core, byte 3000000',
      'card number 2: the name of REPLACED/report-<card number 2>.json',
      'card number 2: the name of REPLACED/too-<card number 2>',
      'card number 2 as a number: REPLACED/dump, byte',
      'card number 2: REPLACED/dump, unpacked, key "compressed"',
      'card number 2: REPLACED/dump, unpacked, key "packed"',
      'card number 2: REPLACED/dump, unpacked, key "expired"',
    ]) {
      expect(out).toContain(found.replace('REPLACED', place))
    }
    expect(out).not.toContain(VISA)
    expect(out).not.toContain('card number 1')
    await rm(dump)
  })

  it('that cannot be looked at are named, and never clean', async () => {
    const place = join(folder, 'odd')
    await mkdir(place)
    await writeFile(join(place, 'clean.log'), 'nothing\n')
    await writeFile(join(place, 'a.zip'), Buffer.from('504b0304', 'hex'))
    await writeFile(join(place, 'cut.gz'), gzipSync('line\n'.repeat(1e5)).subarray(0, 100))
    await writeFile(join(place, 'broken.rdb'), 'REDIS0010 and no more')
    await writeFile(join(place, 'dump.rdb.gz'), gzipSync('REDIS0010 and no more'))
    await writeFile(join(place, 'more.gz'), Buffer.concat([gzipSync('line\n'), Buffer.alloc(9), Buffer.from(VISA)]))
    await writeFile(
      join(place, 'more.zst'),
      Buffer.concat([zstdCompressSync('line\n'), Buffer.alloc(9), Buffer.from(VISA)]),
    )
    await writeFile(join(place, 'system.journal'), 'LPKSHHRH and no more')
    await writeFile(join(place, 'twice.gz'), gzipSync(gzipSync(VISA)))

    const { code, out } = await scan([
      ...['--path', place, '--path', join(folder, 'nowhere')],
      '--path',
      '/dev/null',
      '--json',
    ])

    expect(code).toBe(2)
    const { found, unseen, looked } = JSON.parse(out)
    expect(found).toBe(0)
    expect(unseen.map((one: { place: string; why: string }) => `${one.place.replace(folder, '')} ${one.why}`)).toEqual([
      '/odd/a.zip compressed in a way that cannot be read here',
      '/odd/broken.rdb redis-server cannot load it',
      '/odd/cut.gz Z_BUF_ERROR',
      '/odd/dump.rdb.gz compressed twice, or a compressed dump: unpack it first',
      '/odd/more.gz more stands behind its compressed part',
      '/odd/more.zst more stands behind its compressed part',
      '/odd/system.journal compressed in a way that cannot be read here',
      '/odd/twice.gz compressed twice, or a compressed dump: unpack it first',
      '/nowhere ENOENT',
      '/dev/null neither a file nor a folder',
    ])
    expect(looked.files).toBe(9)
  })
})

it.each([VISA, `--${VISA}`])('a card that is typed where none belongs is not repeated', async (typed) => {
  const { code, out } = await scan(['--path', '.', typed])

  expect(code).toBe(2)
  expect(out).toContain('--help')
  expect(out).not.toContain(VISA)
})
