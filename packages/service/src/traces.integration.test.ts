import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { attributeOf, startCollector } from '../../../scripts/test/trace-collector.ts'
import { readEnvironment } from './environment.ts'
import type { Log } from './log.ts'
import { endpointOf, traceVariables, wouldShowKey } from './trace-variables.ts'
import { NO_SPAN, noTraces, openTraces } from './traces.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const said = (flags: '00' | '01') => `00-${TRACE}-${SPAN}-${flags}`

const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

const read = (env: Record<string, string>) => readEnvironment(z.object(traceVariables), env)

/** Traces that are sent to a collector of the test's own, and what the log said. */
async function open(env: Record<string, string> = {}, status?: () => number) {
  const collector = await startCollector(status ? { status } : {})
  opened.push(collector.close)
  const events: string[] = []
  const note = ({ event }: { event: string }) => void events.push(event)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const where = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }
  const traces = await openTraces(read({ ...where, OTEL_BSP_SCHEDULE_DELAY: '20', ...env }), { name: 'test', log })
  return { traces, collector, events }
}

describe('without an endpoint', () => {
  it.each<[string, Record<string, string>]>([
    ['nothing is set', {}],
    ['it is switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }],
    ['no exporter is wanted', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' }],
  ])('where %s nothing is traced', async (_, env) => {
    const { traces } = { traces: await openTraces(read(env), { name: 'test', log: {} as Log }) }

    expect(traces).toBe(noTraces)
    expect(traces.begin({ name: 'try', heard: said('01') })).toBe(NO_SPAN)
    expect(await NO_SPAN.within({ name: 'part' }, async (span) => span === NO_SPAN)).toBe(true)
  })
})

describe('the endpoint', () => {
  it.each<[string | undefined, Record<string, string>]>([
    ['http://localhost:4318/v1/traces', { OTEL_TRACES_EXPORTER: 'otlp' }],
    ['https://one:1/otlp/v1/traces', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://one:1/otlp/' }],
    ['https://two', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://one', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://two' }],
  ])('is %s', (url, env) => {
    expect(endpointOf(read(env))).toBe(url)
  })

  it.each<[string, Record<string, string>]>([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'only-a-name' }],
    ['OTEL_TRACES_SAMPLER', { OTEL_TRACES_SAMPLER: 'sometimes' }],
    ['OTEL_TRACES_SAMPLER_ARG', { OTEL_TRACES_SAMPLER_ARG: '1.5' }],
  ])('%s that cannot be used is named', (name, env) => {
    expect(() => read(env)).toThrow(`- ${name}: `)
  })

  it('gets a key over a public network by https only', () => {
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret' }

    expect(wouldShowKey(read({ ...headers, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://traces.example' }))).toBe(true)
    expect(wouldShowKey(read({ ...headers, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://traces.example' }))).toBe(false)
    expect(wouldShowKey(read({ ...headers, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector' }))).toBe(false)
    expect(wouldShowKey(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://traces.example' }))).toBe(false)
  })

  it('is told by the standard’s own encoding where none is chosen, who speaks and with which key', async () => {
    const { OTEL_EXPORTER_OTLP_PROTOCOL } = read({})
    const { traces, collector } = await open({
      OTEL_EXPORTER_OTLP_PROTOCOL,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=se%20cret',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=trial',
      OTEL_SERVICE_NAME: 'my-gateway',
    })

    traces.begin({ name: 'a try' }).end()
    await traces.close()

    const [first] = collector.received
    expect(first?.path).toBe('/v1/traces')
    expect(first?.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'api-key': 'se cret' })
    for (const word of ['a try', 'my-gateway', 'deployment.environment.name', 'trial'])
      expect(first?.body).toContain(word)
  })
})

describe('a traceparent of a caller', () => {
  it.each<[string, unknown]>([
    ['is missing', undefined],
    ['came twice', [said('01'), said('01')]],
    ['is free text', '4111111111111111'],
    ['has no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['has no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['is of version ff', said('01').replace('00', 'ff')],
    ['is too long for its version', `${said('01')}-more`],
  ])('that %s is none', async (_, heard) => {
    const { traces, collector } = await open()

    traces.begin({ name: 'try', heard }).end()
    await traces.close()

    expect(collector.spans()).toMatchObject([{ name: 'try' }])
    expect(collector.spans()[0]?.traceId).not.toBe(TRACE)
    expect(collector.spans()[0]?.parentSpanId ?? '').toBe('')
  })

  it.each<['00' | '01', string, number]>([
    ['01', 'always_off', 0],
    ['00', 'always_on', 1],
  ])('names the trace, and its flag %s does not decide whether it is kept: %s does', async (flags, sampler, kept) => {
    const { traces, collector } = await open({ OTEL_TRACES_SAMPLER: `parentbased_${sampler}` })

    const span = traces.begin({ name: 'try', heard: said(flags) })
    span.end()
    await traces.close()

    expect(span.traceId).toBe(TRACE)
    expect(collector.spans().map(({ traceId }) => traceId)).toEqual(Array(kept).fill(TRACE))
  })

  it('does not decide by its number either', async () => {
    const { traces, collector } = await open({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    })

    for (let nth = 0; nth < 200; nth += 1) traces.begin({ name: 'try', heard: said('01') }).end()
    await traces.close()

    expect(collector.spans().length).toBeGreaterThan(50)
    expect(collector.spans().length).toBeLessThan(150)
  })
})

describe('what one of our processes said of a trace', () => {
  it.each<['00' | '01', string, number]>([
    ['01', 'always_off', 1],
    ['00', 'always_on', 0],
  ])('decides: %s, whatever %s says', async (flags, sampler, kept) => {
    const { traces, collector } = await open({ OTEL_TRACES_SAMPLER: `parentbased_${sampler}` })

    traces.begin({ name: 'process', parent: said(flags) }).end()
    await traces.close()

    expect(collector.spans()).toHaveLength(kept)
  })
})

describe('a span', () => {
  it('of which a part failed says by which code, and nothing of the message', async () => {
    const { traces, collector } = await open()
    const span = traces.begin({ name: 'try', fields: { payment: 'p_1' } })

    const failing = span.within({ name: 'part' }, async () => {
      throw Object.assign(new Error('no 4111111111111111'), { code: 'ECONNRESET' })
    })
    await expect(failing).rejects.toThrow()
    span.end()
    await traces.close()

    const part = collector.spans().find(({ name }) => name === 'part')
    expect(part && [part.status.code, attributeOf(part, 'error.type'), attributeOf(part, 'pay.payment')]).toEqual([
      2,
      'ECONNRESET',
      'p_1',
    ])
    expect(collector.received.map(({ body }) => body).join()).not.toContain('4111')
  })
})

describe('a collector', () => {
  it('that refuses is named once, and so is that it is well again', async () => {
    let status = 400
    const { traces, events } = await open({}, () => status)
    const send = () => traces.begin({ name: 'try' }).end()

    send()
    await expect.poll(() => events).toEqual(['traces.not_exported'])
    send()
    status = 200
    const sendAgain = () => {
      send()
      return events
    }
    await expect.poll(sendAgain).toEqual(['traces.not_exported', 'traces.exported'])
    await traces.close()
  })

  it('has no more waiting for it than OTEL_BSP_MAX_QUEUE_SIZE allows: the rest is dropped', async () => {
    const { traces, collector } = await open({ OTEL_BSP_SCHEDULE_DELAY: '60000', OTEL_BSP_MAX_QUEUE_SIZE: '10' })

    for (let nth = 0; nth < 500; nth += 1) traces.begin({ name: 'try' }).end()
    await traces.close()

    expect(collector.spans().length).toBeGreaterThanOrEqual(10)
    expect(collector.spans().length).toBeLessThan(50)
  })

  it('that says nothing is given up when the process has to end', async () => {
    const silent = createServer((socket) => void opened.push(() => socket.destroy()))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    opened.push(() => silent.close())
    const { port } = silent.address() as { port: number }
    const { traces } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
    for (let nth = 0; nth < 5000; nth += 1) traces.begin({ name: 'try' }).end()

    const startedAt = performance.now()
    await traces.close()

    expect(performance.now() - startedAt).toBeLessThan(8000)
  })
})
