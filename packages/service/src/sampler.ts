import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { TraceEnvironment } from './trace-variables.ts'

/** Marks a context whose span a caller has named: a stranger, as far as traces are concerned. */
export const HEARD = createContextKey('heard from a caller')

type Wanted = Pick<TraceEnvironment, 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG'>

/** OTEL_TRACES_SAMPLER, with one exception: a caller's `traceparent` decides nothing. By his sampled flag he could have every one of his
 * tries kept, or none, and as he chooses the number of his trace, so he could by that, too. For him a number is drawn. */
export function createSampler({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG: ratio }: Wanted): Sampler {
  const root = rootOf(OTEL_TRACES_SAMPLER, ratio)
  const ours = OTEL_TRACES_SAMPLER.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
  const ids = new RandomIdGenerator()
  return {
    shouldSample: (context, traceId, ...more) =>
      context.getValue(HEARD) === true
        ? root.shouldSample(ROOT_CONTEXT, ids.generateTraceId(), ...more)
        : ours.shouldSample(context, traceId, ...more),
    toString: () => ours.toString(),
  }
}

function rootOf(name: Wanted['OTEL_TRACES_SAMPLER'], ratio: number): Sampler {
  if (name.endsWith('always_off')) return new AlwaysOffSampler()
  return name.endsWith('always_on') ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(ratio)
}
