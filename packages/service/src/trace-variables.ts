import { z } from 'zod'
import { flag, readableFile, wholeNumber } from './environment.ts'
import { isPrivate } from './hosts.ts'

const endpoint = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    message: 'must be a URL that starts with http:// or https://',
  })
  .optional()

/** As W3C's baggage spells them: `name=value,name=value`, values percent-encoded. */
const pairs = z
  .string()
  .default('')
  .transform((text, context): Record<string, string> => {
    try {
      return Object.fromEntries(
        text
          .split(',')
          .filter((pair) => pair.trim() !== '')
          .map(toPair),
      )
    } catch {
      context.addIssue({ code: 'custom', message: 'must be pairs such as name=value,name=value' })
      return z.NEVER
    }
  })

function toPair(text: string): [string, string] {
  const [name = '', ...rest] = text.split('=')
  if (name.trim() === '' || rest.length === 0) throw new Error('no pair')
  return [name.trim(), decodeURIComponent(rest.join('=').trim())]
}

const protocol = z.enum(['http/protobuf', 'http/json'])

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const

/** OpenTelemetry's own names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const traceVariables = {
  OTEL_SDK_DISABLED: flag,
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.default('http/protobuf'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: pairs,
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: pairs,
  OTEL_EXPORTER_OTLP_CERTIFICATE: readableFile.optional(),
  OTEL_EXPORTER_OTLP_TIMEOUT: wholeNumber(10_000, { min: 1 }),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  OTEL_TRACES_SAMPLER: z
    .enum([...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}` as const)])
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .default('1')
    .refine((text) => /^[01](\.\d+)?$|^\.\d+$/.test(text) && Number(text) <= 1, {
      message: 'must be a number from 0 to 1',
    })
    .transform(Number),
  OTEL_BSP_SCHEDULE_DELAY: wholeNumber(5000, { min: 1 }),
  OTEL_BSP_MAX_QUEUE_SIZE: wholeNumber(2048, { min: 1, max: 100_000 }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: wholeNumber(512, { min: 1, max: 100_000 }),
}

export type TraceEnvironment = z.output<z.ZodObject<typeof traceVariables>>

/** Where spans are sent; undefined: they are not. */
export function endpointOf(env: TraceEnvironment): string | undefined {
  if (env.OTEL_SDK_DISABLED || env.OTEL_TRACES_EXPORTER === 'none') return undefined
  const general = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? (env.OTEL_TRACES_EXPORTER && 'http://localhost:4318')
  return env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (general && `${general.replace(/\/+$/, '')}/v1/traces`)
}

export const headersOf = (env: TraceEnvironment): Record<string, string> => ({
  ...env.OTEL_EXPORTER_OTLP_HEADERS,
  ...env.OTEL_EXPORTER_OTLP_TRACES_HEADERS,
})

/** Spans may pass a network in the open, a key to where they are kept may not. */
export function wouldShowKey(env: TraceEnvironment): boolean {
  const { protocol, hostname } = new URL(endpointOf(env) ?? 'https://nobody')
  return protocol === 'http:' && !isPrivate(hostname) && Object.keys(headersOf(env)).length > 0
}
