import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinAsReplica } from '../packages/payment-queue/src/testing-replica.ts'
import { startChild } from '../scripts/process/child.ts'
import type { RunningRedis } from '../scripts/redis/redis.ts'
import { repository } from '../scripts/stack/service.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { openFront, selfSigned } from './matrix-front.ts'
import { until } from './matrix-payer.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startTestStack({ workers: 1 })
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await stack?.stop()
})

const using = async <Answer>({ url }: RunningRedis, use: (redis: Redis) => Promise<Answer>): Promise<Answer> => {
  const redis = new Redis(url)
  const answer = await use(redis)
  redis.disconnect()
  return answer
}

/** What a gateway and a worker say who are started now and end at once. */
async function refusals(): Promise<string[]> {
  const started = [stack.addGateway(), stack.addWorker()]
  return Promise.all(started.map((starting) => starting.then(() => 'started', String)))
}

const APPS = ['gateway', 'worker'] as const
type App = (typeof APPS)[number]

const refusedFor = (...problems: string[]) => ({
  code: 1,
  text: ['the environment cannot be used:', ...problems.map((problem) => `  - ${problem}`)].join('\n'),
})

/** All that one of them says that differs from the others in these settings, and how it ends. */
async function startAlone(app: App, env: Record<string, string>) {
  const lines: string[] = []
  const child = await startChild({
    name: app,
    program: process.execPath,
    args: [`apps/${app}/src/main.ts`],
    env: {
      ...stack.env,
      QUEUE_REDIS_URL: stack.queue.urls[app],
      LEDGER_REDIS_URL: stack.ledger.urls[app],
      ...env,
      OPS_PORT: '0',
      PORT: '0',
    },
    cwd: repository,
    onLine: (line) => lines.push(line),
  })
  const { code } = await child.exited
  return { code, text: lines.join('\n') }
}

const folder = mkdtempSync(join(tmpdir(), 'pay-settings-'))
let files = 0

function fileWith(text: string): string {
  const file = join(folder, `authority-${++files}.pem`)
  writeFileSync(file, text)
  return file
}

/** The same user at the same server, through a front. */
function behind(front: string, text: string): string {
  const url = new URL(text.replace('redis:', 'rediss:'))
  url.host = new URL(front).host
  return url.href
}

const isReplicated = (server: RunningRedis) =>
  until(
    async () => !(await using(server, (redis) => redis.info('replication'))).includes('connected_slaves:0'),
    5000,
    20,
  )

describe('a gateway and a worker', () => {
  it('D53: refuse servers that are copied to others, and name both', async () => {
    const leave = [stack.queue, stack.ledger].map(({ url }) => joinAsReplica(url))
    await Promise.all([stack.queue, stack.ledger].map(isReplicated))

    const said = await refusals()

    for (const text of said) {
      expect(text).toMatch(/QUEUE_REDIS_URL: connected_slaves must be 0: a replica would remember cards elsewhere/)
      expect(text).toMatch(/LEDGER_REDIS_URL: connected_slaves must be 0/)
    }
    for (const go of leave) go()
  })

  it('D54: refuse to count on a replica’s disk where the server cannot be asked for that (before Redis 7.2)', async () => {
    const env = { LEDGER_REPLICAS_ACK: '1' }
    const [known] = (await using(stack.ledger, (redis) => redis.command('INFO', 'WAITAOF'))) as unknown[]

    const starting = stack.addWorker({ env }).then((worker) => worker.stop(), String)

    if (known) expect(await starting).toMatchObject({ code: 0 })
    else expect(await starting).toMatch(/LEDGER_REDIS_URL: WAITAOF is missing: LEDGER_REPLICAS_ACK needs Redis 7.2/)
  })

  it('D53: are refused by their environment alone, each thing by name, and end with 1', async () => {
    const env = {
      QUEUE_REDIS_URL: 'redis://gateway:hunter2@redis.example',
      LEDGER_REDIS_URL: 'redis://gateway:hunter2@203.0.113.7:6379',
      PAYCONEX_URL: 'http://secure.payconex.net',
    }

    const said = await Promise.all(APPS.map((app) => startAlone(app, env)))

    const lines = [
      'PAYCONEX_URL must be https:// unless it is on this machine',
      'QUEUE_REDIS_URL must be rediss:// (or set ALLOW_PLAINTEXT_REDIS=true)',
      'LEDGER_REDIS_URL must be rediss:// (or set ALLOW_PLAINTEXT_REDIS=true)',
    ]
    expect(said).toEqual(APPS.map(() => refusedFor(...lines)))
  })

  it('say which Redis does not let them in, and nothing of the password, and end with 1', async () => {
    const wrong = new URL(stack.queue.url)
    wrong.username = 'gateway'
    wrong.password = 'hunter2'

    const said = await Promise.all(
      APPS.map((app) => startAlone(app, { QUEUE_REDIS_URL: wrong.href, LOG_LEVEL: 'trace' })),
    )

    expect(said).toEqual(APPS.map(() => refusedFor('QUEUE_REDIS_URL: its user or password is wrong (WRONGPASS)')))
  })

  it('do not trust a Redis with a wrong certificate, and say what is wrong with it', async () => {
    const wrong = [
      { named: {}, isTrusted: false, code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      { named: { host: 'redis.example' }, isTrusted: true, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      { named: { expired: true }, isTrusted: true, code: 'CERT_HAS_EXPIRED' },
    ]

    const said = await Promise.all(
      wrong.map(async ({ named, isTrusted }) => {
        const certificate = await selfSigned(named)
        const front = await openFront(stack.ledger.url, certificate)
        const authority = isTrusted ? { CA_FILE: fileWith(certificate.cert) } : {}
        const end = await startAlone('worker', {
          LEDGER_REDIS_URL: behind(front.url, stack.ledger.urls.worker),
          ...authority,
        })
        front.close()
        return end
      }),
    )

    const lineOf = (code: string) => `LEDGER_REDIS_URL: its certificate is not trusted, see CA_FILE (${code})`
    expect(said).toEqual(wrong.map(({ code }) => refusedFor(lineOf(code))))
  })

  it('trust one with a certificate of the authority in CA_FILE', async () => {
    const certificate = await selfSigned()
    const front = await openFront(stack.ledger.url, certificate)

    const worker = await stack.addWorker({
      env: { LEDGER_REDIS_URL: behind(front.url, stack.ledger.urls.worker), CA_FILE: fileWith(certificate.cert) },
    })

    expect(await worker.stop()).toMatchObject({ code: 0 })
    front.close()
  })

  it('D53: refuse servers with wrong settings, and name each; those that run stop when they meet one again', async () => {
    await using(stack.queue, async (redis) => {
      for (const [name, value] of Object.entries(WRONG.queue)) await redis.config('SET', name, value)
    })
    await using(stack.ledger, async (redis) => {
      for (const [name, value] of Object.entries(WRONG.ledger)) await redis.config('SET', name, value)
    })

    const said = await refusals()

    for (const text of said) {
      for (const name of Object.keys(WRONG.queue)) expect(text).toContain(`QUEUE_REDIS_URL: ${name} must be`)
      for (const name of Object.keys(WRONG.ledger)) expect(text).toContain(`LEDGER_REDIS_URL: ${name} must be`)
    }
    const [gateway, worker] = [stack.gateways[0], stack.workers[0]]
    await using(stack.ledger, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal'))
    for (const child of [gateway, worker]) {
      expect(await child?.exited).toEqual({ code: 1, signal: null })
      expect(child?.lastLines()).toContain('LEDGER_REDIS_URL: appendfsync must be "always"')
    }
  })
})

const WRONG = {
  queue: { save: '60 1', appendonly: 'yes', 'maxmemory-policy': 'allkeys-lru' },
  ledger: { appendfsync: 'everysec', 'no-appendfsync-on-rewrite': 'yes', 'maxmemory-policy': 'allkeys-lru' },
}
