import type { Log } from './log.ts'
import { endpointOf, type TraceEnvironment } from './trace-variables.ts'

/** What may be told of a span: an allow-list like that of the log. Nothing here comes from a request but what it asks for (`method`);
 * what is known of a payment by `payment` and `attempt` is told of each part of it, too. */
export type SpanFields = {
  payment?: string
  attempt?: number
  method?: string
  verdict?: string | undefined
  state?: string | undefined
  /** What PayConex was asked for: `SALE`, `GET_TRANSACTION_STATUS`. */
  api?: string
  server?: string
  status?: number
  code?: string | undefined
  reason?: string | undefined
  /** How an id came: `ahead` or `waited`. */
  reserved?: string
  /** What kind of failure it was; the span is shown as failed. */
  error?: string | undefined
}

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

export type SpanStart = { name: string; kind?: SpanKind; fields?: SpanFields }

/** One piece of work on one payment. It is handed on like any other argument: there is no context that follows by itself. */
export type Span = {
  /** For log lines; absent where nothing is traced. */
  readonly traceId: string | undefined
  /** This span as W3C spells it, for whoever works on. */
  readonly traceparent: string | undefined
  /** Does a part of the work. Ends when that does, also by an error; `seen` says what came of it. */
  within<Result>(
    start: SpanStart,
    work: (span: Span) => Promise<Result>,
    seen?: (result: Result) => SpanFields,
  ): Promise<Result>
  note(fields: SpanFields): void
  /** Remembers that the work on this attempt of a payment is told of here. */
  leads(attempt: AttemptName): void
  /** Links to where the work on this attempt is told of, if this process knows. */
  follows(attempt: AttemptName): void
  end(fields?: SpanFields): void
}

type AttemptName = { key: string; attempt: number }

export type Traces = {
  /** The beginning of a trace, or of this process' part in one. `heard`: what a caller says of his own; he decides under which
   * number the trace goes, never whether it is kept. `parent`: what a process of ours said, which has decided already. */
  begin(start: SpanStart & { heard?: unknown; parent?: string | undefined }): Span
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>
}

/** Where nothing is traced. Does nothing, and makes nothing. */
export const NO_SPAN: Span = {
  traceId: undefined,
  traceparent: undefined,
  within: (_start, work) => work(NO_SPAN),
  note: () => undefined,
  leads: () => undefined,
  follows: () => undefined,
  end: () => undefined,
}

export const noTraces: Traces = { begin: () => NO_SPAN, close: async () => undefined }

/** Decided once, at the start: without an endpoint nothing of OpenTelemetry is even loaded. */
export async function openTraces(env: TraceEnvironment, { name, log }: { name: string; log: Log }): Promise<Traces> {
  if (endpointOf(env) === undefined) return noTraces
  const { createTraces } = await import('./open-telemetry.ts')
  return createTraces({ env, name, log })
}
