import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkValue } from '@pay/ledger'
import { Secret } from '@pay/mapper'
import { connectFailingFast, createWeatherStation, sealCredentials, sealKeys, whenReady } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Child } from '../../../scripts/process/child.ts'
import { freePort } from '../../../scripts/process/free-port.ts'
import { canStartCluster, type RunningCluster, startCluster } from '../../../scripts/redis/cluster.ts'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startService } from '../../../scripts/stack/service.ts'
import { openObserved } from '../../../scripts/test/observed-path.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import type { Role } from './configuration.ts'
import { examine } from './examine.ts'
import type { Finding, State } from './finding.ts'
import { key, openForgetful, openParrot, openSilence, openTls, selfSigned } from './testing.ts'

const ACCOUNT = '120615000000'
const ACCESS_KEY = 'canary0access0key0canary0access0'

/** Servers that nobody else uses: their settings and users are changed, and the keys have fixed names. */
let queue: RunningRedis
let ledger: RunningRedis
let queueOwner: Redis
let ledgerOwner: Redis
let simulator: Child
let payconexUrl: string
let silent: ReturnType<typeof lookAtSilence>
let forgotten: ReturnType<typeof lookAtForgetful>
const opened: (() => unknown)[] = []

beforeAll(async () => {
  const port = await freePort()
  payconexUrl = `http://127.0.0.1:${port}`
  const started = await Promise.all([
    startTestRedis({ kind: 'queue' }),
    startTestRedis({ kind: 'ledger' }),
    startService({
      name: 'simulator',
      app: 'payconex-simulator',
      env: { PORT: String(port), HOST: '127.0.0.1' },
      readyUrl: `${payconexUrl}/_sim`,
      onLine: () => undefined,
    }),
  ])
  queue = started[0]
  ledger = started[1]
  simulator = started[2]
  queueOwner = new Redis(queue.url)
  ledgerOwner = new Redis(ledger.url)
  silent = lookAtSilence()
  forgotten = lookAtForgetful()
}, 60_000)

afterAll(async () => {
  queueOwner?.disconnect()
  ledgerOwner?.disconnect()
  await Promise.all([queue, ledger, simulator].map((each) => each?.stop()))
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  await Promise.all([queueOwner.flushall(), ledgerOwner.flushall()])
})

/** Begun with the first test, because it takes its time and needs nothing of theirs. */
async function lookAtSilence() {
  const silence = await openSilence()
  const waited: string[] = []
  const started = performance.now()
  const env = {
    QUEUE_REDIS_URL: `redis://127.0.0.1:${silence.port}`,
    LEDGER_REDIS_URL: `rediss://127.0.0.1:${silence.port}`,
    PAYCONEX_URL: `http://127.0.0.1:${silence.port}`,
    OPS_PORT: String(silence.port),
  }
  const onWaiting = (parts: readonly string[]) => void waited.push(...parts)
  const findings = await look(env, { credentials: ACCESS_KEY, onWaiting })
  silence.close()
  return { findings, waited, tookMs: performance.now() - started }
}

async function lookAtForgetful() {
  const path = await openForgetful(ledger.url)
  const findings = await look({ LEDGER_REDIS_URL: ledger.urls.worker.replace(/\d+$/, String(path.port)) })
  path.close()
  return findings
}

const keys = { SEAL_KEYS: `k1:${key()}`, LEDGER_KEY: key() }

const environment = (changes: Record<string, string> = {}) => ({
  QUEUE_REDIS_URL: queue.urls.worker,
  LEDGER_REDIS_URL: ledger.urls.worker,
  PAYCONEX_URL: payconexUrl,
  // Nobody of ours is there.
  OPS_PORT: '9',
  ...keys,
  ...changes,
})

type Changed = { roles?: readonly Role[]; credentials?: string; onWaiting?: (parts: readonly string[]) => void }

function look(changes: Record<string, string> = {}, { roles = ['worker'], credentials, onWaiting }: Changed = {}) {
  return examine({
    env: environment(changes),
    roles,
    credentials: credentials === undefined ? undefined : { accountId: ACCOUNT, accessKey: new Secret(credentials) },
    onWaiting: onWaiting ?? (() => undefined),
    limitMs: 13_000,
  })
}

const those = (findings: readonly Finding[], ...states: State[]) =>
  findings.filter(({ state }) => states.includes(state))
const said = (findings: readonly Finding[], name: string) =>
  findings.filter((finding) => finding.name === name).map(({ state, seen }) => `${state}: ${seen}`)
const fileWith = (text: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  opened.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'file')
  writeFileSync(path, text)
  return path
}

describe('what is as it must be', () => {
  it('is found so, server by server, and leaves nothing behind', async () => {
    const findings = await look({}, { credentials: ACCESS_KEY })

    expect(those(findings, 'wrong')).toEqual([])
    // On a busy machine even a server next door is slow.
    const names = new Set(those(findings, 'ok', 'warning').map(({ name }) => name))
    for (const part of ['settings', 'rights', 'latency', 'memory']) {
      expect(names).toContain(`queue: ${part}`)
      expect(names).toContain(`ledger: ${part}`)
    }
    expect(said(findings, 'ledger: identity')).toEqual(['ok: it is empty: the first start begins it'])
    expect(said(findings, 'PayConex: credentials')).toEqual([
      expect.stringMatching(/^ok: account 120615000000 .* gave an id/),
    ])
    expect(said(findings, 'clocks')).toHaveLength(3)
    expect(said(findings, 'ledger: latency').at(-1)).toMatch(/^(ok|warning): median of a write that is on its disk: \d/)
    expect([await queueOwner.dbsize(), await ledgerOwner.dbsize()]).toEqual([0, 0])
  })

  it('is so for a gateway, too, who may see less', async () => {
    const urls = { QUEUE_REDIS_URL: queue.urls.gateway, LEDGER_REDIS_URL: ledger.urls.gateway }

    const findings = await look(urls, { roles: ['gateway'] })

    expect(those(findings, 'wrong')).toEqual([])
    expect(said(findings, 'queue: rights')).toEqual(['ok: what a gateway needs, and no more that we know of'])
    expect(said(findings, 'ledger: payments')).toEqual([
      'ok: 0 open',
      'not checked: late approvals: its user may not list them',
      'not checked: payments in review: its user may not list them',
    ])
    expect(said(findings, 'PayConex: credentials')).toEqual([expect.stringMatching(/^not checked: no credentials/)])
  })
})

describe('a Redis with wrong settings', () => {
  it('is named setting by setting, with the command that sets it right', async () => {
    await queueOwner.config('SET', 'save', '60 1', 'appendonly', 'yes', 'maxmemory-policy', 'allkeys-lru')
    await ledgerOwner.config('SET', 'appendfsync', 'everysec', 'no-appendfsync-on-rewrite', 'yes')
    opened.push(() => queueOwner.config('SET', 'save', '', 'appendonly', 'no', 'maxmemory-policy', 'noeviction'))
    opened.push(() => ledgerOwner.config('SET', 'appendfsync', 'always', 'no-appendfsync-on-rewrite', 'no'))

    const findings = await look()

    expect(
      those(findings, 'wrong').map(({ name, seen, do: todo }) => [name, seen.split(':')[0], todo?.split(',')[0]]),
    ).toEqual([
      ['queue: settings', 'save must be ""', 'CONFIG SET save ""'],
      ['queue: settings', 'appendonly must be "no"', 'CONFIG SET appendonly no'],
      ['queue: settings', 'maxmemory-policy must be "noeviction"', 'CONFIG SET maxmemory-policy noeviction'],
      ['ledger: settings', 'appendfsync must be "always"', 'CONFIG SET appendfsync always'],
      ['ledger: settings', 'no-appendfsync-on-rewrite must be "no"', 'CONFIG SET no-appendfsync-on-rewrite no'],
    ])
  })

  it('is only warned about in relaxed mode, and not looked at where somebody did by hand', async () => {
    const swapped = { QUEUE_REDIS_URL: inject('ledgerRedisUrl'), LEDGER_REDIS_URL: inject('queueRedisUrl') }

    const relaxed = await look({ ...swapped, MODE: 'relaxed' })
    const byHand = await look({ ...swapped, REDIS_CHECKED_BY_HAND: 'true' })

    expect(said(relaxed, 'queue: settings')).toEqual([expect.stringMatching(/^warning: appendonly must be "no"/)])
    expect(said(relaxed, 'ledger: settings')).toHaveLength(2)
    expect(said(byHand, 'queue: settings')).toEqual(['not checked: REDIS_CHECKED_BY_HAND=true: you looked'])
  })
})

describe('a user of Redis', () => {
  it('with too few rights is named with what it lacks', async () => {
    await queueOwner.call('ACL', 'SETUSER', 'worker', '-rpoplpush')
    opened.push(() => queueOwner.call('ACL', 'SETUSER', 'worker', '+rpoplpush'))

    expect(said(await look(), 'queue: rights')).toEqual([
      'wrong: as a worker: its user has no right to rpoplpush {s0}:payments:* (deploy/redis says what it needs)',
    ])
  })

  it('with too many is warned about, with what it could do', async () => {
    const [gateways] = said(await look({ QUEUE_REDIS_URL: queue.url }, { roles: ['gateway'] }), 'queue: rights')
    const [workers] = said(await look({ LEDGER_REDIS_URL: ledger.url }), 'ledger: rights')

    expect(gateways).toMatch(/^warning: beyond the work of a gateway it may: change settings; .*; read what it sealed$/)
    expect(workers).toMatch(/^warning: beyond the work of a worker it may: change settings; /)
  })

  it('with a wrong password, or none, is told so', async () => {
    const wrongPassword = new URL(queue.urls.worker)
    wrongPassword.password = 'canary0password'

    const findings = await look({ QUEUE_REDIS_URL: wrongPassword.href })

    expect(said(findings, 'queue')).toEqual(['wrong: QUEUE_REDIS_URL: its user or password is wrong (WRONGPASS)'])
    expect(JSON.stringify(findings)).not.toContain('canary0password')
  })
})

describe('a ledger', () => {
  const begin = (check: string) => ledgerOwner.hset('{s0}:ledger', { identity: 'it', check, fences: '7' })
  const rightCheck = () => checkValue(Buffer.from(keys.LEDGER_KEY, 'base64'), 1)

  it('that was begun with these keys is known again', async () => {
    await begin(rightCheck())

    expect(said(await look(), 'ledger: identity')).toEqual([
      'ok: begun with this LEDGER_KEY and SHARDS=1; 7 fences so far',
    ])
  })

  it('that was begun with another key, or number of shards, is told so, and which', async () => {
    await begin(rightCheck())

    expect(said(await look({ LEDGER_KEY: key() }), 'ledger: identity')).toEqual([
      'wrong: it was begun with another LEDGER_KEY (or by another version of this program)',
    ])
    expect(said(await look({ SHARDS: '4' }), 'ledger: identity')).toEqual([
      'wrong: it was begun with SHARDS=1, here it is 4',
    ])
  })

  it('that went back is told by what was noted on the queue', async () => {
    await begin(rightCheck())
    await queueOwner.hset('{s0}:ledger-seen', { identity: 'it', fences: '8' })

    expect(said(await look(), 'ledger: identity')).toEqual(['wrong: it has forgotten payments that were sent'])
  })

  it('that went on while it was looked at has not forgotten what others note meanwhile', async () => {
    await begin(rightCheck())
    await queueOwner.hset('{s0}:ledger-seen', { identity: 'it', fences: '7' })
    const path = await openObserved(ledger.urls.worker, {
      word: 'fences',
      meanwhile: async () => {
        await ledgerOwner.hset('{s0}:ledger', 'fences', '8')
        await queueOwner.hset('{s0}:ledger-seen', 'fences', '8')
      },
    })
    opened.push(path.close)

    const findings = await look({ LEDGER_REDIS_URL: path.url })

    expect(said(findings, 'ledger: identity')).toEqual([expect.stringMatching(/^ok: .*7 fences/)])
    expect(await queueOwner.hget('{s0}:ledger-seen', 'fences')).toBe('8')
  })

  it('that was exchanged for an empty one is told so, too', async () => {
    await queueOwner.hset('{s0}:ledger-seen', { identity: 'it', fences: '8' })

    expect(said(await look(), 'ledger: identity')).toEqual([
      'wrong: it is empty, and processes have worked with another one lately',
    ])
  })

  it('says which key is missing, how many payments are open, and what waits for a person', async () => {
    const other = sealKeys.parse(`k0:${key()}`)
    const sealed = sealCredentials({ accountId: ACCOUNT, accessKey: new Secret(ACCESS_KEY) }, 'p_1', other)
    await ledgerOwner.zadd('{s0}:open', 1, 'p_1')
    await ledgerOwner.hset('{s0}:payment:p_1', { s: 'unconfirmed', credentials: sealed })
    await ledgerOwner.hset('{s0}:payment:p_2', { s: 'review' })
    await ledgerOwner.zadd('{s0}:late', Date.now(), 'p_3')

    const asWorker = await look()
    const asOwner = await look({ LEDGER_REDIS_URL: ledger.url })

    expect(said(asWorker, 'ledger: keys in use')).toEqual([
      'wrong: SEAL_KEYS: k0 is missing, and open payments are sealed under it (1)',
    ])
    expect(said(asWorker, 'ledger: payments')).toEqual([
      'ok: 1 open',
      'warning: 1 late approvals',
      'not checked: payments in review: its user may not list them',
    ])
    expect(said(asOwner, 'ledger: payments').at(-1)).toBe('warning: 1 payments in review')
  })
})

describe('those who are at work', () => {
  it('are counted, and those whose queue nobody serves are warned', async () => {
    const redis = connectFailingFast({ url: queue.urls.gateway })
    opened.push(() => redis.disconnect())
    await whenReady(redis, 5000)
    await createWeatherStation({ redis, id: 'g1', leaseMs: 5000 }).report({ role: 'gateway' })

    expect(said(await look(), 'fleet')).toEqual(['warning: 1 gateways, 0 workers, 0 of 0 places busy, 0 jobs wait'])
  })

  it('say at their door whether they are ready', async () => {
    const door = createServer((_request, response) => void response.writeHead(503).end('not ready: ledger\n'))
    opened.push(() => door.close())
    door.listen(0, '127.0.0.1')
    await once(door, 'listening')
    const { port } = door.address() as AddressInfo

    const findings = await look({ OPS_PORT: String(port) })

    expect(said(findings, 'ready here')).toEqual([`warning: http://127.0.0.1:${port}/readyz says: not ready: ledger`])
  })
})

describe('TLS', () => {
  /** The worker's URL of the ledger, through a front. */
  async function through(pem: Awaited<ReturnType<typeof selfSigned>>, host = '127.0.0.1') {
    const front = await openTls(pem, ledger.url)
    opened.push(front.close)
    const url = new URL(ledger.urls.worker)
    return `rediss://${url.username}:${url.password}@${host}:${front.port}`
  }

  it('of a Redis is good with its authority in CA_FILE; one that ends soon is warned about', async () => {
    const pem = await selfSigned({ days: 20 })

    const findings = await look({ LEDGER_REDIS_URL: await through(pem), CA_FILE: fileWith(pem.cert) })

    expect(those(findings, 'wrong')).toEqual([])
    expect(said(findings, 'ledger: TLS')).toEqual([
      expect.stringMatching(/^ok: 127\.0\.0\.1:\d+: TLSv1\.3$/),
      expect.stringMatching(/^warning: its certificate is good for 20 more days/),
    ])
    expect(said(findings, 'CA_FILE')).toEqual([
      expect.stringMatching(/^warning: 127\.0\.0\.1 is good for 20 more days/),
    ])
  })

  it.each([
    ['of an unknown authority', {}, false, /not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
    ['that has expired', { days: -2 }, true, /not trusted \(CERT_HAS_EXPIRED\)/],
    ['of another name', { name: 'other.example' }, true, /not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
  ])('of a Redis with a certificate %s is wrong', async (_, named, isTrusted, seen) => {
    const pem = await selfSigned(named)
    const trust: Record<string, string> = isTrusted ? { CA_FILE: fileWith(pem.cert) } : {}

    const findings = await look({ LEDGER_REDIS_URL: await through(pem), ...trust })

    expect(said(findings, 'ledger: TLS')).toEqual([expect.stringMatching(seen)])
  })

  it('where there is none, and none where there is, are told apart', async () => {
    const withTls = (await through(await selfSigned())).replace('rediss:', 'redis:')
    const withoutTls = queue.urls.worker.replace('redis:', 'rediss:')

    const findings = await look({ LEDGER_REDIS_URL: withTls, QUEUE_REDIS_URL: withoutTls })

    expect(findings.find(({ name }) => name === 'ledger')).toMatchObject({
      state: 'wrong',
      do: expect.stringContaining('it speaks TLS'),
    })
    expect(said(findings, 'queue: TLS')).toEqual([expect.stringMatching(/^wrong: .*no TLS/)])
  })
})

describe('PayConex', () => {
  it('that refuses the credentials is quoted, and the key is not', async () => {
    const findings = await look({}, { credentials: 'wrong' })

    expect(said(findings, 'PayConex: credentials')).toEqual([
      'wrong: account 120615000000: 20002 Invalid api_accesskey',
    ])
  })

  it('that repeats the key to us is not repeated', async () => {
    const body = JSON.stringify({ error: true, error_code: 20017, error_message: `bad ${ACCESS_KEY}` })
    const parrot = await openParrot(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    opened.push(parrot.close)

    const findings = await look({ PAYCONEX_URL: `http://127.0.0.1:${parrot.port}` }, { credentials: ACCESS_KEY })

    expect(said(findings, 'PayConex: credentials')).toEqual([
      expect.stringContaining('wrong: account 120615000000: 20017'),
    ])
    expect(JSON.stringify(findings)).not.toContain(ACCESS_KEY)
  })

  it('with a certificate that is not trusted is shown no key', async () => {
    const front = await openTls(await selfSigned(), payconexUrl)
    opened.push(front.close)
    const requests = async () => (await (await fetch(`${payconexUrl}/_sim/requests`)).text()).length
    const before = await requests()

    const findings = await look({ PAYCONEX_URL: `https://127.0.0.1:${front.port}` }, { credentials: ACCESS_KEY })

    expect(said(findings, 'PayConex: TLS')).toEqual([
      expect.stringContaining('not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)'),
    ])
    expect(said(findings, 'PayConex: credentials')).toEqual([])
    expect(await requests()).toBe(before)
  })

  it.each(['strict', 'relaxed'])('without TLS and elsewhere is shown no key, also in %s mode', async (MODE) => {
    const heard: string[] = []
    const listener = createTcpServer((socket) => socket.on('data', (data) => void heard.push(String(data))))
    await once(listener.listen(0, '0.0.0.0'), 'listening')
    opened.push(() => listener.close())
    const { port } = listener.address() as AddressInfo

    // An address of this machine that is neither loopback nor private by our rules.
    const findings = await look({ PAYCONEX_URL: `http://0.0.0.0:${port}`, MODE }, { credentials: ACCESS_KEY })

    expect(said(findings, 'PayConex: way')).toEqual([expect.stringContaining('takes connections')])
    expect(said(findings, 'PayConex: TLS')).toEqual([expect.stringMatching(/^wrong: none: .*nothing was asked/)])
    expect(heard).toEqual([])
  })

  it('is reached over TLS, as the worker does', async () => {
    const pem = await selfSigned()
    const front = await openTls(pem, payconexUrl)
    opened.push(front.close)
    const env = { PAYCONEX_URL: `https://127.0.0.1:${front.port}`, CA_FILE: fileWith(pem.cert) }

    const findings = await look(env, { credentials: ACCESS_KEY })

    expect(said(findings, 'PayConex: credentials')).toEqual([expect.stringMatching(/^ok: /)])
  })

  it('behind a proxy that refuses is told so, without its password', async () => {
    const proxy = await openParrot('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    opened.push(proxy.close)

    const findings = await look({
      PAYCONEX_URL: 'https://secure.payconex.net',
      PAYCONEX_PROXY_URL: `http://user:canary0password@127.0.0.1:${proxy.port}`,
    })

    expect(said(findings, 'PayConex: proxy').at(-1)).toBe('wrong: no tunnel to secure.payconex.net: HTTP 407')
    expect(JSON.stringify(findings)).not.toContain('canary0password')
  })
})

describe('a process that would print what it sends', () => {
  it('sends nothing', async () => {
    const listener = createServer().listen(0, '127.0.0.1')
    opened.push(() => listener.close())
    await once(listener, 'listening')
    let connections = 0
    listener.on('connection', () => (connections += 1))
    const { port } = listener.address() as AddressInfo
    const url = `redis://worker:canary0password@127.0.0.1:${port}`

    const findings = await look({ QUEUE_REDIS_URL: url, DEBUG: 'ioredis:*' })

    expect(said(findings, 'this process')).toEqual(['wrong: DEBUG prints Redis commands with their passwords'])
    expect(said(findings, 'queue')).toEqual(['not checked: this process would print or write what it sends'])
    expect(connections).toBe(0)
  })
})

describe('times that contradict each other', () => {
  it('are named once, also where the rest of the configuration cannot be read', async () => {
    const wrongTimes = { SEND_BY_MS: '40000', DEBUG: 'ioredis:*' }
    const linesOf = (findings: readonly Finding[]) =>
      those(findings, 'wrong').filter(({ seen }) => /SEND_BY/.test(seen))

    expect(linesOf(await look(wrongTimes)).map(({ name }) => name)).toEqual(['configuration'])
    expect(linesOf(await look({ ...wrongTimes, LEDGER_KEY: '' })).map(({ name }) => name)).toEqual(['times'])
  })
})

describe('nothing at all', () => {
  it('where a Redis falls silent after it let us in is wrong, not overlooked', async () => {
    const findings = await forgotten

    expect(said(findings, 'ledger')).toEqual(['ok: LEDGER_REDIS_URL lets us in as worker'])
    expect(said(findings, 'ledger: settings')).toEqual([expect.stringMatching(/^wrong: no answer/)])
    expect(said(findings, 'ledger: rights')).toEqual([expect.stringMatching(/^wrong: no answer/)])
  })

  it('where nobody listens is told by its stage', async () => {
    const nowhere = await freePort()
    const findings = await look({
      QUEUE_REDIS_URL: `redis://127.0.0.1:${nowhere}`,
      LEDGER_REDIS_URL: 'redis://no-such-host.invalid',
      ALLOW_PLAINTEXT_REDIS: 'true',
    })

    expect(said(findings, 'queue: way')).toEqual([`wrong: 127.0.0.1:${nowhere}: port: ECONNREFUSED`])
    expect(said(findings, 'ledger: way')).toEqual([
      expect.stringMatching(/^wrong: no-such-host\.invalid:6379: name: (ENOTFOUND|EAI_AGAIN)$/),
    ])
  })

  it('where somebody listens and says nothing ends in time, and says meanwhile what it waits for', async () => {
    const { findings, waited, tookMs } = await silent

    expect(tookMs).toBeLessThan(14_000)
    expect(said(findings, 'queue')).toEqual([expect.stringContaining('wrong: QUEUE_REDIS_URL: no answer within')])
    expect(said(findings, 'ledger: TLS')).toEqual([expect.stringMatching(/^wrong: .*no TLS \(no answer within/)])
    expect(said(findings, 'PayConex: answer')).toEqual([expect.stringContaining('wrong: no answer within')])
    expect(waited).toContain('PayConex')
  })
})

describe.runIf(await canStartCluster())('a cluster', () => {
  let cluster: RunningCluster

  beforeAll(async () => {
    cluster = await startCluster({ kind: 'ledger', masters: 3 })
  }, 60_000)
  afterAll(() => cluster?.stop())

  const lookAtCluster = () => look({ LEDGER_REDIS_URL: cluster.urls.worker, SHARDS: '8' })
  const settingsIn = (findings: readonly Finding[]) =>
    findings.filter(({ name }) => /^ledger \S+:\d+: settings$/.test(name)).map(({ state }) => state)

  it('is looked at node by node', async () => {
    const findings = await lookAtCluster()

    expect(settingsIn(findings)).toEqual(['ok', 'ok', 'ok'])
    expect(those(findings, 'wrong')).toEqual([])
  })

  it('of which a node is away is told by the shards that are missing, and the others are looked at', async () => {
    await cluster.nodes[1]?.kill()

    const findings = await lookAtCluster()

    expect(settingsIn(findings)).toEqual(['ok', 'ok'])
    expect(said(findings, 'ledger').every((line) => /^wrong: LEDGER_REDIS_URL: s\d: no answer/.test(line))).toBe(true)
    expect(said(findings, 'ledger: way').map((line) => line.split(':')[0])).toEqual(['ok', 'warning', 'ok'])
  })
})

describe('the command', () => {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url))

  async function run(args: readonly string[], env: Record<string, string>) {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let errors = ''
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (errors += text))
    const [code] = await once(child, 'close')
    return { code, out, errors }
  }

  const secretsOf = (env: Record<string, string>) => [
    ...[env.QUEUE_REDIS_URL, env.LEDGER_REDIS_URL].map((url) => new URL(url ?? '').password),
    (env.SEAL_KEYS ?? '').split(':')[1] ?? '',
    env.LEDGER_KEY ?? '',
    env.DOCTOR_ACCESS_KEY ?? '',
  ]

  it('ends with 0 where nothing is wrong, and prints no secret', async () => {
    const env = environment({ DOCTOR_ACCOUNT: ACCOUNT, DOCTOR_ACCESS_KEY: ACCESS_KEY })

    const { code, out, errors } = await run(['--role', 'worker'], env)

    expect(out).toContain('Nothing is wrong: ')
    expect(code).toBe(0)
    expect(secretsOf(env).every((secret) => secret.length >= 30)).toBe(true)
    for (const secret of secretsOf(env)) expect(out + errors).not.toContain(secret)
  })

  it('ends with 1 where something is, as JSON for programs, and prints no secret either', async () => {
    const env = environment({
      LEDGER_REDIS_URL: queue.urls.gateway,
      DOCTOR_ACCOUNT: ACCOUNT,
      DOCTOR_ACCESS_KEY: randomBytes(20).toString('hex'),
    })

    const { code, out, errors } = await run(['--json'], env)

    const { findings } = JSON.parse(out) as { findings: Finding[] }
    expect(those(findings, 'wrong').map(({ seen }) => seen)).toContain(
      'QUEUE_REDIS_URL and LEDGER_REDIS_URL must be two servers',
    )
    expect(code).toBe(1)
    for (const secret of secretsOf(env)) expect(out + errors).not.toContain(secret)
  })

  it('ends with 2 and a hint where its arguments cannot be used', async () => {
    const { code, out, errors } = await run(['--charge'], environment())

    expect([code, out]).toEqual([2, ''])
    expect(errors).toContain('See: npm run doctor -- --help')
  })
})
