import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { EVENTS } from '@pay/service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { attributeOf, type Collector, startCollector, treeOf } from '../scripts/test/trace-collector.ts'
import { ACCESS_KEY, type Body, bankCharge, declinedCharge, type PostOptions, post, visaCharge } from './caller.ts'
import { witness } from './simulator.ts'

/** The traces and the log of a gateway and a worker, as a collector and an operator get them. */

const COLLECTORS_KEY = 'canary-key-of-the-collector'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLERS_SPAN = '00f067aa0ba902b7'
const TIME_SCALE = 0.1

let stack: Stack
let collector: Collector
const logged: { name: string; line: string }[] = []
const sent: Body[] = []

beforeAll(async () => {
  collector = await startCollector()
  const env = {
    TIME_SCALE: String(TIME_SCALE),
    LOG_LEVEL: 'trace',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${COLLECTORS_KEY}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  }
  stack = await startTestStack({
    gateways: 1,
    workers: 1,
    env,
    onLog: (name, line) => void logged.push({ name, line }),
  })
})

afterAll(async () => {
  await stack?.stop()
  collector?.close()
})

/** With a CVV and a name, which the examples lack. */
function pay(body: Body, options?: PostOptions, nth = 0) {
  const marked = { ...body, cvv: '9713', parameters: { first_name: 'Canaria', address1: '12 Canary Row' } }
  sent.push(marked)
  return post(stack.gateways[nth]?.endpoint ?? '', marked, options)
}

const spansOf = (traceId: string) => collector.spans().filter((span) => span.traceId === traceId)

/** The spans of a trace, when all of them have arrived. */
async function arrived(traceId: string, count: number) {
  await expect.poll(() => spansOf(traceId).length, { timeout: 5000 }).toBe(count)
  return spansOf(traceId)
}

/** The tries of this payment, by the key that all of its spans have; the first one first. */
async function triesOf(key: unknown, count: number) {
  const tries = () =>
    collector.spans().filter((span) => span.kind === SERVER && attributeOf(span, 'pay.payment') === key)
  await expect.poll(() => tries().length, { timeout: 5000 }).toBe(count)
  return tries().sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
}

const SERVER = 2

const entries = () =>
  logged.flatMap(({ name, line }) => (line.startsWith('{') ? [{ process: name, ...JSON.parse(line) }] : []))

/** What the log tells of the payments that were begun by this request. */
const linesAbout = (payment: unknown) => entries().filter((entry) => entry.payment === payment)

const accepted = () => entries().flatMap(({ event, payment }) => (event === 'payment.accepted' ? [payment] : []))

/** Does what begins one payment, and gives its key: a line of the log is a tenth of a second late. */
async function keyOf(begin: () => Promise<unknown>): Promise<string> {
  const before = accepted().length
  await begin()
  await expect.poll(() => accepted().length, { timeout: 5000 }).toBe(before + 1)
  return accepted().at(-1)
}

const payAndFindKey = (body: Body, options?: PostOptions) => keyOf(() => pay(body, options))

describe('a charge', () => {
  it('is one trace, from the HTTP request of a caller who has one to the answer of PayConex', async () => {
    await payAndFindKey(visaCharge(), { headers: { traceparent: `00-${TRACE}-${CALLERS_SPAN}-00` } })

    const spans = await arrived(TRACE, 11)
    const lines = treeOf(spans, ({ service, name }) => `${service} ${name}`)
    expect(lines.map((line) => line.replace(/ PayConex (SALE|GET_TRANSACTION_ID)/, ' → $1')).sort()).toEqual(
      [
        'pay-gateway POST /api/v4/payments/twilio-bridge',
        '  pay-gateway admit',
        '  pay-gateway wait',
        '  pay-gateway add',
        '    pay-worker process',
        '      pay-worker open',
        '      pay-worker reserve',
        '        pay-worker → GET_TRANSACTION_ID',
        '      pay-worker fence',
        '      pay-worker → SALE',
        '      pay-worker finish',
      ].sort(),
    )
    expect(spans.find(({ kind }) => kind === SERVER)?.parentSpanId).toBe(CALLERS_SPAN)
  })

  it('tells of each part which payment it is about, and of PayConex what was asked, and how it ended', async () => {
    const spans = await arrived(TRACE, 11)

    const key = attributeOf(spans[0] as (typeof spans)[0], 'pay.payment')
    expect(key).toMatch(/^p_/)
    expect(new Set(spans.map((span) => attributeOf(span, 'pay.payment')))).toEqual(new Set([key]))
    const sale = spans.find(({ name }) => name === 'PayConex SALE')
    expect(
      Object.fromEntries(sale?.attributes.map(({ key: name }) => [name, sale && attributeOf(sale, name)]) ?? []),
    ).toEqual({
      'pay.payment': key,
      'pay.attempt': 1,
      'pay.payconex.api': 'SALE',
      'server.address': '127.0.0.1',
      'http.response.status_code': 200,
    })
    const root = spans.find(({ kind }) => kind === SERVER)
    expect(root && attributeOf(root, 'pay.verdict')).toBe('approved')
  })

  it('is told in the log by one line for each state it comes to, under the same trace', async () => {
    const key = await payAndFindKey(visaCharge())
    await expect.poll(() => linesAbout(key).length, { timeout: 5000 }).toBe(3)

    const [root] = await triesOf(key, 1)
    const about = { payment: key, attempt: 1, method: 'charge', ms: expect.any(Number), trace_id: root?.traceId }
    const lines = linesAbout(key).sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
    expect(lines).toMatchObject([
      { ...about, event: 'payment.accepted', from: 'none', state: 'accepted', process: 'gateway-1' },
      { ...about, event: 'payment.sending', from: 'accepted', state: 'sending', process: 'worker-1' },
      { ...about, event: 'payment.approved', from: 'sending', state: 'approved', process: 'worker-1' },
    ])
  })

  it('that is declined says so, with its class and code', async () => {
    const key = await payAndFindKey(declinedCharge())

    const said = () => linesAbout(key).find(({ event }) => event === 'payment.declined')
    await expect.poll(said, { timeout: 5000 }).toMatchObject({ class: 'declined', code: expect.any(String) })
  })

  it('whose answer is lost shows the exchange that failed, and the look-up', async () => {
    const body = visaCharge()
    await witness(stack.simulator?.url ?? '').fault({ fault: 'reset_after_commit', custom_id: body.transaction_id })
    const key = await payAndFindKey(body)

    const [root] = await triesOf(key, 1)
    const named = (name: string) => spansOf(root?.traceId ?? '').find((span) => span.name === name)
    await expect.poll(() => named('PayConex GET_TRANSACTION_STATUS'), { timeout: 5000 }).toBeDefined()
    const sale = named('PayConex SALE')
    expect([sale?.status.code, sale && attributeOf(sale, 'error.type')]).toEqual([2, 'lost'])
    const events = () => linesAbout(key).map(({ event }) => event)
    await expect.poll(events, { timeout: 5000 }).toContain('payconex.no_answer')
  })
})

describe('each try', () => {
  it('has a trace of its own: one that joins or replays links to the trace of the attempt', async () => {
    const body = visaCharge()
    await witness(stack.simulator?.url ?? '').fault({ fault: 'delay', ms: 400, custom_id: body.transaction_id })

    const key = await keyOf(async () => {
      const first = pay(body)
      await sleep(150)
      await Promise.all([first, pay(body)])
      await pay(body)
    })

    const [began, joined, replayed] = await triesOf(key, 3)
    expect(new Set([began, joined, replayed].map((span) => span?.traceId)).size).toBe(3)
    const link = { traceId: began?.traceId, spanId: began?.spanId }
    expect([began?.links ?? [], joined?.links, replayed?.links]).toMatchObject([[], [link], [link]])
    const events = () => linesAbout(key).map(({ event }) => event)
    await expect.poll(events, { timeout: 5000 }).toEqual(expect.arrayContaining(['try.joined', 'try.replayed']))
  })

  it('without credentials has none, and with a traceparent that is none has a new one', async () => {
    const before = collector.spans().length
    await post(stack.gateways[0]?.endpoint ?? '', visaCharge(), {
      user: '',
      headers: { traceparent: `00-${'a'.repeat(32)}-${CALLERS_SPAN}-01` },
    })

    const key = await payAndFindKey(visaCharge(), {
      headers: { traceparent: `00-${'0'.repeat(32)}-${CALLERS_SPAN}-01` },
    })

    const [root] = await triesOf(key, 1)
    expect(root?.traceId).not.toBe('0'.repeat(32))
    expect(root?.parentSpanId ?? '').toBe('')
    expect(collector.spans().length).toBeGreaterThan(before)
    expect(spansOf('a'.repeat(32))).toEqual([])
  })
})

describe('what a collector gets', () => {
  it('has nothing of any request but its method, and no key', async () => {
    const key = await payAndFindKey(bankCharge())
    await triesOf(key, 1)
    const text = collector.received.map(({ body }) => body).join('\n')

    const values = sent.flatMap((body) => leavesOf(body)).filter((value) => value.length > 5 && !METHODS.has(value))
    expect(values).toContain('Canaria')
    for (const value of [...values, ACCESS_KEY, 'cvv', COLLECTORS_KEY, Buffer.from(ACCESS_KEY).toString('base64')]) {
      expect(text).not.toContain(value)
    }
    expect(collector.received.every(({ headers }) => headers['x-collector-key'] === COLLECTORS_KEY)).toBe(true)
  })
})

describe('a collector that takes connections and says nothing', () => {
  let silent: Server
  const held = new Set<{ destroy: () => void }>()

  beforeAll(async () => {
    silent = createServer((socket) => void held.add(socket.on('error', () => undefined)))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })

  afterAll(() => {
    for (const socket of held) socket.destroy()
    silent.close()
  })

  it('holds up neither a payment nor the end of a process; people read the log of these', async () => {
    const { port } = silent.address() as { port: number }
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_MAX_QUEUE_SIZE: '16',
      LOG_PRETTY: 'true',
    }
    const [gateway, worker] = await Promise.all([stack.addGateway({ env }), stack.addWorker({ env })])
    stack.workers[0]?.kill('SIGKILL')

    const answers = await Promise.all(Array.from({ length: 10 }, () => pay(visaCharge(), {}, 1)))
    expect(answers.map(({ body }) => body.error_code)).toEqual(Array(10).fill(null))
    expect(held.size).toBeGreaterThan(0)

    const exits = await Promise.all([gateway.stop(), worker.stop()])
    expect(exits.map(({ code }) => code)).toEqual([0, 0])
    const lines = (name: string) => logged.filter((one) => one.name === name).map(({ line }) => line)
    expect(lines('gateway-2')).toContainEqual(
      expect.stringMatching(
        /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: gateway payment\.accepted: accepted \{.*"state":"accepted"/,
      ),
    )
    expect(lines('worker-2')).toContainEqual(
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: worker payment\.approved: approved \{.*"from":"sending"/),
    )
    for (const line of [...lines('gateway-2'), ...lines('worker-2')]) expect(line).toMatch(/^\[\d\d:/)
  })
})

describe('every line of the log', () => {
  it('names an event that is listed, at its level', () => {
    const levels: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' }
    const services = entries().filter(({ name }) => name === 'gateway' || name === 'worker')

    expect(services.length).toBeGreaterThan(20)
    for (const { event, level } of services)
      expect([event, levels[level]]).toEqual([event, EVENTS[event as keyof typeof EVENTS]])
  })
})

const ORDER = ['accepted', 'sending', 'approved']
const METHODS = new Set(['charge', 'tokenize'])

const leavesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [String(value)]
