import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { checkValue, createLedger, type Entry, openBook } from '@pay/ledger'
import {
  connectFailingFast,
  connectPatiently,
  createConsumer,
  createWeatherStation,
  whenReady,
} from '@pay/payment-queue'
import { createTimes, readGatewayEnvironment, SAFE_HEADERS } from '@pay/service'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openPath } from '../../../packages/payment-queue/src/testing-path.ts'
import { startChild } from '../../../scripts/process/child.ts'
import { freePort } from '../../../scripts/process/free-port.ts'
import type { RunningRedis } from '../../../scripts/redis/redis.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { ENDPOINT } from './app.ts'
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

const ledgerKey = randomBytes(32)

/** A fiftieth of the real times: SEND_BY 440 ms, ANSWER_BY 1100 ms. */
const environment = async () => ({
  QUEUE_REDIS_URL: queue.url,
  LEDGER_REDIS_URL: ledger.url,
  SEAL_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  LEDGER_KEY: ledgerKey.toString('base64'),
  PAYCONEX_URL: 'http://127.0.0.1:8090',
  HOST: '127.0.0.1',
  PORT: String(await freePort()),
  OPS_PORT: String(await freePort()),
  LOG_LEVEL: 'silent',
  TIME_SCALE: '0.02',
})

/** Unlike fetch, on a connection that is kept. */
async function chargeOver(agent: Agent, port: number) {
  const headers = { authorization: basic(ACCOUNT, ACCESS_KEY) }
  const asked = request({ agent, port, host: '127.0.0.1', path: ENDPOINT, method: 'POST', headers })
  asked.end(JSON.stringify({ ...visaCharge, transaction_id: randomUUID() }))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { connection: response.headers.connection, body: await json(response) }
}

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
  const holds = (tries: number) =>
    expect
      .poll(async () => (await operations('/metrics')).text, { interval: 10, timeout: 5000 })
      .toContain(`pay_gateway_waiting_tries ${tries}\n`)
  return { charge, operations, drain, holds, port: Number(env.PORT), operationsPort: Number(env.OPS_PORT) }
}

/** A worker that takes its time and then writes the outcome. */
async function openWorker(entry: Entry, delayMs = 0) {
  const redis = connectFailingFast({ url: ledger.url })
  const consumerRedis = connectPatiently({ url: queue.url })
  await whenReady(redis, 1000)
  const book = await openBook({ redis, check: checkValue(ledgerKey, 1) })
  const times = createTimes(readGatewayEnvironment(await environment()))
  const books = createLedger({ redis, book, times })
  const owner = 'w1.a'
  const consumer = createConsumer({
    redis: consumerRedis,
    concurrency: 10,
    lockMs: 5000,
    process: async (attempt) => {
      await books.fence(attempt, { owner, reserved: attempt.key })
      await sleep(delayMs)
      await books.finish(attempt, owner, entry)
    },
    onError: () => undefined,
  })
  // As a worker does: gateways take no payments when nobody seems to be there to send them.
  const weather = createWeatherStation({ redis: consumerRedis, id: 'w1', leaseMs: times.weatherLeaseMs })
  const report = () => weather.report({ role: 'worker', concurrency: 10, busy: 0, isCircuitOpen: false })
  const reporting = setInterval(() => void report().catch(() => undefined), times.weatherReportMs)
  opened.push(async () => {
    clearInterval(reporting)
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

describe('the operators’ door', () => {
  /** Any other address of this machine: the port that is only on loopback's first is not there. */
  const reaches = (host: string, port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, host)
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      opened.push(() => socket.destroy())
    })
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address?.internal === false && address.family === 'IPv4')
    .map((address) => address?.address ?? '')
    .concat(process.platform === 'linux' ? ['127.0.0.2'] : [])

  it('is on loopback alone unless OPS_HOST says otherwise', async () => {
    const { operationsPort, port } = await openGateway({ HOST: '0.0.0.0' })

    expect(await reaches('127.0.0.1', operationsPort)).toBe(true)
    for (const host of others) expect(await reaches(host, operationsPort)).toBe(false)
    for (const host of others) expect(await reaches(host, port)).toBe(true)
  })

  it('is where OPS_HOST says', async () => {
    const { operationsPort } = await openGateway({ OPS_HOST: '0.0.0.0' })

    for (const host of ['127.0.0.1', ...others]) expect(await reaches(host, operationsPort)).toBe(true)
  })

  it('has the description of the endpoint', async () => {
    const { operations } = await openGateway()

    const { status, text } = await operations('/openapi.json')

    expect(status).toBe(200)
    expect(Object.keys(JSON.parse(text).paths)).toContain(ENDPOINT)
  })

  it('says what a browser may do with its pages', async () => {
    const { operationsPort } = await openGateway()

    const { headers } = await fetch(`http://127.0.0.1:${operationsPort}/metrics`, { headers: { connection: 'close' } })

    for (const [name, value] of Object.entries(SAFE_HEADERS)) expect(headers.get(name)).toBe(value)
    expect(headers.get('x-powered-by')).toBeNull()
  })
})

describe('a gateway that drains', () => {
  it('answers the tries it holds, and takes no new ones', async () => {
    const [{ charge, holds, drain }] = await Promise.all([openGateway(), openWorker(APPROVAL, 700)])
    const held = charge()
    await holds(1)

    const drained = drain()
    // Another 250 ms of leaving.
    await sleep(350)

    await expect(charge()).rejects.toThrow('fetch failed')
    expect(await held).toEqual(approved)
    await drained
  })

  it('still takes payments of those who have not heard yet that it is leaving, and says on each connection that it was its last', async () => {
    // A second of leaving: enough on a machine that has much to do.
    const [{ port, operations, drain }] = await Promise.all([openGateway({ TIME_SCALE: '0.5' }), openWorker(APPROVAL)])
    const agent = new Agent({ keepAlive: true })
    opened.push(() => agent.destroy())
    const charge = () => chargeOver(agent, port)
    expect(await charge()).toMatchObject({ connection: 'keep-alive', body: approved })

    const drained = drain()

    expect(await operations('/readyz')).toMatchObject({ status: 503 })
    expect(await charge()).toMatchObject({ connection: 'close', body: approved })
    expect(await charge()).toMatchObject({ connection: 'close', body: approved })
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

    // Held up, it would take until ANSWER_BY.
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('does not wait for a worker longer than it would have answered anyway', async () => {
    const { charge, holds, drain } = await openGateway()
    const held = charge()
    await holds(1)
    const started = performance.now()

    await drain()

    expect(await held).toMatchObject({ error_code: 'not_processed' })
    expect(performance.now() - started).toBeLessThan(5000)
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
