import { randomBytes, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createLedger, type Entry } from '@pay/ledger'
import { connectFailingFast, connectPatiently, createConsumer, whenReady } from '@pay/payment-queue'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openPath } from '../../../packages/payment-queue/src/testing-path.ts'
import { startChild } from '../../../scripts/process/child.ts'
import { freePort } from '../../../scripts/process/free-port.ts'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { ENDPOINT } from './app.ts'
import { readGatewayEnvironment } from './environment.ts'
import { startGateway } from './gateway.ts'
import { ACCESS_KEY, ACCOUNT, basic, visaCharge } from './testing.ts'

/** The gateway's keys have fixed names, so it gets two servers that nobody else uses. */
let queue: RunningRedis
let ledger: RunningRedis
const opened: (() => unknown)[] = []

beforeAll(async () => {
  const servers = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  queue = servers[0]
  ledger = servers[1]
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

afterAll(() => Promise.all([queue.stop(), ledger.stop()]))

/** A fiftieth of the real times: SEND_BY 440 ms, ANSWER_BY 1100 ms. */
const environment = async () => ({
  QUEUE_REDIS_URL: queue.url,
  LEDGER_REDIS_URL: ledger.url,
  SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  LEDGER_KEY: randomBytes(32).toString('base64'),
  PAYCONEX_URL: 'http://127.0.0.1:8090',
  HOST: '127.0.0.1',
  PORT: String(await freePort()),
  OPS_PORT: String(await freePort()),
  LOG_LEVEL: 'silent',
  TIME_SCALE: '0.02',
})

async function openGateway(changes: Record<string, string> = {}) {
  const env = { ...(await environment()), ...changes }
  const gateway = await startGateway(readGatewayEnvironment(env))
  let drained: Promise<void> | undefined
  const drain = () => {
    drained ??= gateway.drain()
    return drained
  }
  opened.push(drain)
  const charge = async (changes: Record<string, unknown> = {}) => {
    const response = await fetch(`http://127.0.0.1:${env.PORT}${ENDPOINT}`, {
      method: 'POST',
      headers: { authorization: basic(ACCOUNT, ACCESS_KEY), connection: 'close' },
      body: JSON.stringify({ ...visaCharge, transaction_id: randomUUID(), ...changes }),
    })
    return response.json()
  }
  const operations = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${env.OPS_PORT}${path}`, { headers: { connection: 'close' } })
    return { status: response.status, text: await response.text() }
  }
  return { charge, operations, drain, port: Number(env.PORT) }
}

/** A worker that takes its time and then writes the outcome. */
async function openWorker(entry: Entry, delayMs = 0) {
  const redis = connectFailingFast({ url: ledger.url })
  const consumerRedis = connectPatiently({ url: queue.url })
  await whenReady(redis, 1000)
  const books = createLedger({ redis, sendByMs: 440, leaseMs: 5000, retentionMs: 60_000 })
  const owner = 'w1.a'
  const consumer = createConsumer({
    redis: consumerRedis,
    concurrency: 10,
    lockMs: 5000,
    process: async (attempt) => {
      await books.fence(attempt, { owner, reserved: '000000000001' })
      await sleep(delayMs)
      await books.finish(attempt, owner, entry)
    },
    onError: () => undefined,
  })
  opened.push(async () => {
    await consumer.close()
    consumerRedis.disconnect()
    redis.disconnect()
  })
}

const APPROVAL = { state: 'approved', id: '000000012345' } as const
const approved = { charge_id: '000000012345', error_code: null, error_message: null }

describe('a gateway', () => {
  it('answers with what a worker wrote into the ledger', async () => {
    const [{ charge }] = await Promise.all([openGateway(), openWorker(APPROVAL)])

    expect(await Promise.all([charge(), charge(), charge()])).toEqual([approved, approved, approved])
  })

  it('answers that nothing was processed when there is no worker', async () => {
    const { charge } = await openGateway()

    expect(await charge()).toMatchObject({ charge_id: null, error_code: 'not_processed' })
  })

  it('counts what it answers', async () => {
    const [{ charge, operations }] = await Promise.all([openGateway(), openWorker(APPROVAL)])
    await charge()
    await charge({ amount: '0' })

    const { text } = await operations('/metrics')

    expect(text).toContain('pay_gateway_answers_total{status="200",verdict="approved"} 1')
    expect(text).toContain('pay_gateway_answers_total{status="200",verdict="invalid_request"} 1')
    expect(text).toContain('pay_gateway_waiting_tries 0')
  })

  it('is ready, says what is missing when a server goes away, and is ready again by itself', async () => {
    const { operations, charge } = await openGateway()
    expect(await operations('/readyz')).toMatchObject({ status: 200 })

    await queue.kill()
    await expect.poll(() => operations('/readyz')).toEqual({ status: 503, text: 'not ready: queue\n' })
    expect(await operations('/livez')).toMatchObject({ status: 200 })
    expect(await charge()).toMatchObject({ error_code: 'not_processed' })

    await queue.restart()
    await expect.poll(() => operations('/readyz'), { timeout: 3000 }).toMatchObject({ status: 200 })
  })
})

describe('a gateway whose path to a server is lost without a word', () => {
  it.each([
    ['ledger', () => ledger, 'not ready: ledger, reply channel\n'],
    ['queue', () => queue, 'not ready: queue\n'],
  ] as const)('(the %s) says so, and serves again without a restart', async (name, server, text) => {
    const path = await openPath(server().url)
    opened.push(path.close)
    const changes = { [`${name.toUpperCase()}_REDIS_URL`]: path.url }
    const [{ charge, operations }] = await Promise.all([openGateway(changes), openWorker(APPROVAL)])
    expect(await charge()).toEqual(approved)

    path.fallSilent('whole path')
    await expect.poll(() => operations('/readyz'), { timeout: 4000 }).toEqual({ status: 503, text })
    path.heal()

    await expect.poll(() => operations('/readyz'), { timeout: 4000 }).toMatchObject({ status: 200 })
    expect(await charge()).toEqual(approved)
  })
})

describe('a gateway that drains', () => {
  it('answers the tries it holds, and takes no new ones', async () => {
    const [{ charge, drain }] = await Promise.all([openGateway(), openWorker(APPROVAL, 200)])
    const held = charge()
    await sleep(80)

    const drained = drain()
    await sleep(20)

    await expect(charge()).rejects.toThrow('fetch failed')
    expect(await held).toEqual(approved)
    await drained
  })

  it('is not held up by a connection that never asks anything, nor by one that asks slowly', async () => {
    const { drain, port } = await openGateway()
    for (const begun of ['', 'POST / HTTP/1.1\r\nHost: x\r\n']) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      opened.push(() => socket.destroy())
      socket.write(begun)
    }
    await sleep(30)
    const started = performance.now()

    await drain()

    expect(performance.now() - started).toBeLessThan(500)
  })

  it('does not wait for a worker longer than it would have answered anyway', async () => {
    const { charge, drain } = await openGateway()
    const held = charge()
    await sleep(50)
    const started = performance.now()

    await drain()

    expect(await held).toMatchObject({ error_code: 'not_processed' })
    expect(performance.now() - started).toBeLessThan(1100)
  })
})

describe('the program', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))

  async function start(env: Record<string, string>) {
    const lines: string[] = []
    const onLine = (line: string) => void lines.push(line)
    const child = await startChild({ name: 'gateway', program: process.execPath, args: [main], env, onLine })
    opened.push(() => child.stop(0))
    return { child, lines }
  }

  it('that lacks its environment says so by name, all at once, and exits with 1', async () => {
    const { child, lines } = await start({ PORT: 'http' })

    expect(await child.exited).toEqual({ code: 1, signal: null })

    const missing = ['QUEUE_REDIS_URL', 'LEDGER_REDIS_URL', 'SEAL_KEYS', 'LEDGER_KEY', 'PAYCONEX_URL']
    expect(lines).toEqual([
      'the environment cannot be used:',
      ...missing.map((name) => `  - ${name}: is required`),
      '  - PORT: must be a whole number from 0 to 65535',
    ])
  })

  it('serves, and ends with 0 at SIGTERM, its last words written', async () => {
    const { child, lines } = await start({ ...(await environment()), LOG_LEVEL: 'info' })
    const messages = () => lines.map((line): string => JSON.parse(line).msg)
    await expect.poll(messages, { timeout: 5000 }).toContainEqual(expect.stringMatching(/^listening on /))

    child.kill('SIGTERM')

    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(messages().slice(-2)).toEqual(['draining', 'drained'])
  })
})
