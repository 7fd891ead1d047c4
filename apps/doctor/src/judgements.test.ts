import { sealKeys } from '@pay/payment-queue'
import { describe, expect, it } from 'vitest'
import { judgeExpiry } from './certificates.ts'
import { judgeClocks, readingOf } from './clocks.ts'
import { STATES } from './finding.ts'
import { judgeWeather } from './fleet.ts'
import { examineKeys } from './keys.ts'
import { judgeCount } from './ledger-contents.ts'
import { judgeMachine, type Machine } from './machine.ts'
import { infoOf, judgeClients, judgeDisk, judgeLatency, judgeMemory, judgeReplicas, median } from './redis-health.ts'
import { judgeVersion } from './redis-version.ts'
import { readSettings } from './settings.ts'
import { key } from './testing.ts'

const GIB = 1024 ** 3
const NOW = Date.UTC(2026, 10, 29)
const day = (days: number) => new Date(NOW + days * 24 * 3600 * 1000)

describe('a certificate', () => {
  it.each([
    [22, 'ok', '22 more days, until 2026-12-21'],
    [21, 'ok', '21 more days'],
    [20, 'warning', '20 more days'],
    [0, 'warning', '0 more days'],
    [-1, 'wrong', 'expired on 2026-11-28'],
  ])('that ends in %i days is %s', (days, state, seen) => {
    expect(judgeExpiry('TLS', 'it', day(days), NOW)).toMatchObject({ state, seen: expect.stringContaining(seen) })
  })
})

describe('the version of a Redis', () => {
  const judge = (version: string, wishes = {}, valkey?: string) => {
    const info = infoOf(`redis_version:${version}\r\n${valkey ? `valkey_version:${valkey}\r\n` : ''}`)
    return judgeVersion('version', info, { isCluster: false, waitaof: false, ...wishes })
  }

  it.each([
    ['5.0.14', 'wrong', 'nothing starts with it'],
    ['6.0.16', 'wrong', 'nothing starts with it'],
    ['6.2.20', 'warning', 'need 7.0'],
    ['7.0.15', 'warning', 'CVE-2025-49844'],
    ['7.2.10', 'warning', 'CVE-2025-49844'],
    ['7.2.11', 'ok', 'Redis 7.2.11'],
    ['7.4.5', 'warning', 'CVE-2025-49844'],
    ['7.4.6', 'ok', ''],
    ['8.0.3', 'warning', 'CVE-2025-49844'],
    ['8.1.9', 'warning', 'CVE-2025-49844'],
    ['8.2.1', 'warning', 'CVE-2025-49844'],
    ['8.2.2', 'ok', ''],
    ['8.6.0', 'ok', ''],
    ['10.0.0', 'ok', ''],
    ['', 'warning', 'does not tell'],
  ])('%s is %s', (version, state, seen) => {
    expect(judge(version)).toMatchObject({ state, seen: expect.stringContaining(seen) })
  })

  it.each([
    ['8.1.3', 'warning'],
    ['8.1.4', 'ok'],
    ['9.0.0', 'ok'],
  ])('is Valkey’s own %s where it is one: %s', (version, state) => {
    expect(judge('7.2.4', {}, version)).toMatchObject({ state, seen: expect.stringContaining(`Valkey ${version}`) })
  })

  it('must be higher for a cluster, and for replicas that acknowledge', () => {
    expect(judge('6.2.20', { isCluster: true })).toMatchObject({ state: 'wrong' })
    expect(judge('7.0.15', { waitaof: true })).toMatchObject({
      state: 'wrong',
      seen: expect.stringContaining('WAITAOF'),
    })
    expect(judge('7.2.11', { waitaof: true })).toMatchObject({ state: 'ok' })
  })
})

describe('the health of a Redis', () => {
  const state = ({ state }: { state: string }) => state

  it.each([
    ['used_memory:100\r\nmaxmemory:1000', 'ok'],
    ['used_memory:800\r\nmaxmemory:1000', 'warning'],
    ['used_memory:950\r\nmaxmemory:1000', 'wrong'],
    ['used_memory:100\r\nmaxmemory:0\r\ntotal_system_memory:1000', 'ok'],
    ['used_memory:900\r\nmaxmemory:0\r\ntotal_system_memory:1000', 'warning'],
    ['', 'warning'],
  ])('with memory of %j is %s', (info, expected) => {
    expect(state(judgeMemory('memory', infoOf(info)))).toBe(expected)
  })

  it.each([
    ['aof_enabled:1\r\naof_last_write_status:ok', ['ok']],
    ['aof_enabled:1\r\naof_last_write_status:err', ['wrong']],
    ['aof_enabled:1\r\naof_last_bgrewrite_status:err', ['warning']],
    ['aof_enabled:0', []],
  ])('with a disk of %j is %j', (info, expected) => {
    expect(judgeDisk('disk', 'ledger', infoOf(info)).map(state)).toEqual(expected)
    expect(judgeDisk('disk', 'queue', infoOf(info))).toEqual([])
  })

  it.each([
    ['connected_clients:80\r\nmaxclients:100', ['ok']],
    ['connected_clients:81\r\nmaxclients:100', ['warning']],
    ['connected_clients:81', []],
  ])('with connections of %j is %j', (info, expected) => {
    expect(judgeClients('connections', infoOf(info)).map(state)).toEqual(expected)
  })

  it.each([
    [0, 0, []],
    [1, 1, ['ok']],
    [2, 1, ['ok']],
    [0, 1, ['wrong']],
    [1, 2, ['wrong']],
  ])('with %i replicas of which %i must acknowledge is %j', (connected, acknowledge, expected) => {
    expect(judgeReplicas('replicas', infoOf(`connected_slaves:${connected}`), acknowledge).map(state)).toEqual(expected)
  })

  it.each([
    [{ pingMs: 0.4, writeMs: 3 }, ['ok', 'ok']],
    [{ pingMs: 0.4 }, ['ok']],
    [{ pingMs: 5.1, writeMs: 20 }, ['warning', 'ok']],
    [{ pingMs: 5, writeMs: 20.1 }, ['ok', 'warning']],
  ])('with a latency of %j is %j', (latency, expected) => {
    expect(judgeLatency('latency', latency).map(state)).toEqual(expected)
  })

  it('is measured by the middle, which one slow answer does not move', () => {
    expect(median([1, 900, 2])).toBe(2)
  })
})

describe('clocks', () => {
  const reading = (whose: string, aheadMs: number, uncertainMs = 1) => ({ whose, aheadMs, uncertainMs })
  const told = (...readings: Parameters<typeof judgeClocks>[0]) =>
    judgeClocks(readings).map(({ state, seen }) => [state, seen])

  it('agree when they are no further apart than 2 s, as far as can be known', () => {
    expect(told(reading('ledger', 1999), reading('PayConex', -2400, 500)).map(([state]) => state)).toEqual(['ok', 'ok'])
  })

  it('do not when one is off', () => {
    expect(told(reading('ledger', 3000), reading('PayConex', 0))).toEqual([
      ['ok', 'PayConex and this machine agree within 1 ms'],
      ['warning', 'ledger is 3.0 s ahead of this machine'],
    ])
  })

  it('say that this machine’s is off when all others are alike', () => {
    expect(told(reading('ledger', -3600_000), reading('PayConex', -3600_500, 500))).toEqual([
      ['warning', 'ledger is 3600.0 s behind this machine, and so are all others'],
    ])
  })

  it('that tell whole seconds only are read in their middle', () => {
    expect(readingOf('PayConex', 10_000, [10_400, 10_600], 1000)).toEqual({
      whose: 'PayConex',
      aheadMs: 0,
      uncertainMs: 600,
    })
  })
})

describe('keys', () => {
  const seen = (SEAL_KEYS: string) =>
    examineKeys({ ...readSettings({}), SEAL_KEYS: sealKeys.parse(SEAL_KEYS) }, NOW).map(({ state, seen }) => [
      state,
      seen,
    ])

  it('are told by their ids, and old ones named where their id is a day', () => {
    expect(seen(`k20251101:${key()},k1:${key()}`)).toEqual([
      ['ok', 'k20251101 seals, 2 can open: k20251101, k1'],
      ['warning', 'k20251101 is 393 days old, by its name'],
    ])
    expect(seen(`k20261101:${key()}`)[1]).toEqual(['ok', 'k20261101 is 28 days old, by its name'])
    expect(seen(`main:${key()}`)[1]).toEqual(['ok', expect.stringContaining('how old main is cannot be known')])
  })
})

describe('this machine', () => {
  const fine: Machine = {
    nodeVersion: '24.1.0',
    limits: 'Max open files            30000                30000                files',
    swaps: 'Filename\tType\n',
    swapLimit: undefined,
    memoryLimit: undefined,
    heapLimitBytes: 2 * GIB,
    dangers: [],
  }
  const statesOf = (changes: Partial<Machine>, MODE: 'strict' | 'relaxed' = 'strict') =>
    judgeMachine({ ...fine, ...changes }, { callers: 20_000, MODE })
      .filter(({ state }) => state !== 'ok')
      .map(({ name, state }) => `${name}: ${state}`)

  it.each<[string, Partial<Machine>, string[]]>([
    ['as it must be', {}, []],
    ['without /proc', { limits: undefined, swaps: undefined }, []],
    ['with an old Node', { nodeVersion: '22.21.0' }, ['Node: wrong']],
    ['with an older Node', { nodeVersion: '20.20.0' }, ['Node: wrong']],
    ['with the oldest Node', { nodeVersion: '22.22.0' }, []],
    ['with few files', { limits: 'Max open files            1024   1024   files' }, ['open files: warning']],
    ['with any number of files', { limits: 'Max open files            unlimited   unlimited   files' }, []],
    ['with swap', { swaps: 'Filename\tType\n/dev/sda2 partition\n' }, ['swap: warning']],
    ['with swap that this container has not', { swaps: 'Filename\n/dev/sda2\n', swapLimit: '0\n' }, []],
    ['with less memory than heap', { memoryLimit: `${GIB}\n` }, ['memory of this process: warning']],
    ['with enough memory', { memoryLimit: `${4 * GIB}\n` }, []],
    ['with no limit of memory', { memoryLimit: 'max\n' }, []],
    ['with a debugger', { dangers: [{ setting: '--inspect', why: 'reads', refused: true }] }, ['this process: wrong']],
    [
      'with core dumps',
      { dangers: [{ setting: 'core dumps', why: 'write', refused: false }] },
      ['this process: warning'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(statesOf(changes)).toEqual(expected)
  })

  it('is only warned about where nothing is refused', () => {
    const dangers = [{ setting: '--inspect', why: 'reads', refused: true }]

    expect(statesOf({ dangers }, 'relaxed')).toEqual(['this process: warning'])
  })
})

describe('those who are at work', () => {
  const calm = {
    gateways: 1,
    workers: 2,
    concurrency: 20,
    busy: 1,
    meanServiceMs: 300,
    allCircuitsOpen: false,
    waitingJobs: 0,
  }

  it.each([
    ['both', {}, 'ok'],
    ['nobody, and nothing to do', { gateways: 0, workers: 0 }, 'ok'],
    ['nobody, and something to do', { gateways: 0, workers: 0, waitingJobs: 1 }, 'warning'],
    ['no worker', { workers: 0 }, 'warning'],
    ['no gateway', { gateways: 0 }, 'warning'],
    ['workers that do not reach PayConex', { allCircuitsOpen: true }, 'warning'],
  ])('%s', (_, changes, state) => {
    expect(judgeWeather({ ...calm, ...changes })).toMatchObject({ state })
  })
})

describe('payments that wait for a person', () => {
  it.each([
    [0, 'ok'],
    [3, 'warning'],
    [undefined, 'not checked'],
  ])('%s of them are %s', (count, state) => {
    expect(judgeCount(count, 'payments in review')).toMatchObject({ state })
    expect(STATES).toContain(state)
  })
})
