import { type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { parseTraceParent } from '@opentelemetry/core'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import about from '../package.json' with { type: 'json' }
import { type Log, reasonOf } from './log.ts'
import { createSampler, HEARD } from './sampler.ts'
import { SECOND } from './times.ts'
import { endpointOf, headersOf, type TraceEnvironment } from './trace-variables.ts'
import { NO_SPAN, type Span, type SpanFields, type Traces } from './traces.ts'

/** Traces by OpenTelemetry; loaded only where somebody wants them. Spans wait in a queue of fixed size and leave from time to time;
 * when it is full, because nobody takes them, they are dropped. Nothing that has to do with a payment ever waits for this. Nothing
 * is instrumented by itself either: what is not written down in `SpanFields` is not told. */
export type TracesOptions = { env: TraceEnvironment; name: string; log: Log }

/** As long as a process that ends waits for spans to leave. */
const LAST_WORDS_MS = SECOND

export function createTraces({ env, name, log }: TracesOptions): Traces {
  const provider = new TracerProvider({
    resource: resourceOf(env, name),
    sampler: createSampler(env),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: watched(exporterOf(env), log),
        scheduledDelayMillis: env.OTEL_BSP_SCHEDULE_DELAY,
        maxQueueSize: env.OTEL_BSP_MAX_QUEUE_SIZE,
        maxExportBatchSize: Math.min(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, env.OTEL_BSP_MAX_QUEUE_SIZE),
        exportTimeoutMillis: env.OTEL_EXPORTER_OTLP_TIMEOUT,
      }),
    ],
  })
  const tracer = provider.getTracer('pay-connector', about.version)
  const attempts = createMemory()

  /** `known`: what is told of every part of the same work. */
  function start(context: Context, { name, kind = 'internal', fields = {} }: Start, known: SpanFields): Span {
    const attributes = toAttributes({ ...known, ...fields })
    const otel = tracer.startSpan(name, { kind: KINDS[kind], attributes }, context)
    if (!otel.isRecording()) return unkept(otel)
    const inside = trace.setSpan(ROOT_CONTEXT, otel)
    const shared = { ...known, ...sharedOf(fields) }
    const span: Span = {
      traceId: otel.spanContext().traceId,
      traceparent: traceparentOf(otel),
      async within(part, work, seen) {
        const child = start(inside, part, shared)
        try {
          const result = await work(child)
          child.end(seen?.(result))
          return result
        } catch (error) {
          child.end({ error: reasonOf(error) })
          throw error
        }
      },
      note(more) {
        Object.assign(shared, sharedOf(more))
        otel.setAttributes(toAttributes(more))
        if (more.error !== undefined) otel.setStatus({ code: SpanStatusCode.ERROR })
      },
      leads: (attempt) => attempts.keep(attempt, span.traceparent),
      follows(attempt) {
        const context = parseTraceParent(attempts.find(attempt) ?? '')
        if (context) otel.addLink({ context })
      },
      end(last) {
        if (last) span.note(last)
        otel.end()
      },
    }
    return span
  }

  return {
    begin: ({ heard, parent, ...first }) => start(contextOf(heard, parent), first, {}),
    close: () => Promise.race([provider.shutdown().catch(() => undefined), lastWords()]),
  }
}

type Start = Parameters<Traces['begin']>[0]

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

/** What has a name in OpenTelemetry's conventions has it here, too. */
const NAMES: Record<keyof SpanFields, string> = {
  payment: 'pay.payment',
  attempt: 'pay.attempt',
  method: 'pay.method',
  verdict: 'pay.verdict',
  state: 'pay.state',
  code: 'pay.code',
  reason: 'pay.reason',
  reserved: 'pay.reserved',
  api: 'pay.payconex.api',
  server: 'server.address',
  status: 'http.response.status_code',
  error: 'error.type',
}

const toAttributes = (fields: SpanFields) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [NAMES[name as keyof SpanFields], value]))

const sharedOf = ({ payment, attempt }: SpanFields): SpanFields => ({
  ...(payment !== undefined && { payment }),
  ...(attempt !== undefined && { attempt }),
})

function traceparentOf(span: OtelSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Of a trace that is not kept only its number is handed on, and that it is not. */
function unkept(otel: OtelSpan): Span {
  const within: Span['within'] = (_part, work) => work(span)
  const span: Span = { ...NO_SPAN, traceId: otel.spanContext().traceId, traceparent: traceparentOf(otel), within }
  return span
}

/** A header that comes twice is none, and neither is one that cannot be read. `tracestate` and baggage are not looked at: they are
 * free text from strangers. */
function contextOf(heard: unknown, parent: string | undefined): Context {
  const said = parent ?? (typeof heard === 'string' ? heard : '')
  const context = parseTraceParent(said)
  if (!context) return ROOT_CONTEXT
  const remote = trace.setSpanContext(ROOT_CONTEXT, { ...context, isRemote: true })
  return parent === undefined ? remote.setValue(HEARD, true) : remote
}

const MOST_ATTEMPTS = 10_000

/** Where this process tells of an attempt, of the latest ones. Nothing of it is in Redis: the ledger pays for each byte, for days. */
function createMemory() {
  const known = new Map<string, string>()
  const nameOf = ({ key, attempt }: { key: string; attempt: number }) => `${key}.${attempt}`
  return {
    find: (attempt: Parameters<typeof nameOf>[0]) => known.get(nameOf(attempt)),
    keep(attempt: Parameters<typeof nameOf>[0], traceparent: string | undefined): void {
      if (traceparent === undefined) return
      known.set(nameOf(attempt), traceparent)
      if (known.size > MOST_ATTEMPTS) known.delete(known.keys().next().value as string)
    },
  }
}

function resourceOf(env: TraceEnvironment, name: string) {
  const ours = {
    'service.name': env.OTEL_SERVICE_NAME ?? env.OTEL_RESOURCE_ATTRIBUTES['service.name'] ?? `pay-${name}`,
    'service.version': about.version,
    'process.pid': process.pid,
  }
  return defaultResource().merge(resourceFromAttributes({ ...env.OTEL_RESOURCE_ATTRIBUTES, ...ours }))
}

function exporterOf(env: TraceEnvironment): SpanExporter {
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter
  return new Exporter({
    url: endpointOf(env) as string,
    headers: headersOf(env),
    timeoutMillis: env.OTEL_EXPORTER_OTLP_TIMEOUT,
    concurrencyLimit: 4,
  })
}

/** Says once that spans do not arrive, and once that they do again. */
function watched(exporter: SpanExporter, log: Log): SpanExporter {
  let isFailing = false
  const saw = (error: unknown) => {
    const failed = error !== undefined
    if (failed === isFailing) return
    isFailing = failed
    const { code } = (error ?? {}) as { code?: unknown }
    const fields = { reason: reasonOf(error), ...(typeof code === 'number' && { status: code }) }
    if (failed) log.warn({ event: 'traces.not_exported', ...fields }, 'spans do not arrive and are dropped')
    else log.info({ event: 'traces.exported' }, 'spans arrive again')
  }
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        saw(result.code === 0 ? undefined : (result.error ?? result))
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}

/** Whoever has to go is not held up by whoever does not listen. */
const lastWords = () => new Promise<void>((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref())
