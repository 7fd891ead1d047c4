import { ConfigurationError, contradictionsOf, list, readEnvironment, sharedVariables, wholeNumber } from '@pay/service'
import { z } from 'zod'

const defaultParameters = z
  .string()
  .default('{}')
  .transform((text, context): Record<string, string> => {
    const parsed = z.record(z.string(), z.string()).safeParse(jsonOf(text))
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: 'must be a JSON object of names and texts' })
    return z.NEVER
  })

const variables = z.object({
  ...sharedVariables,
  OPS_PORT: wholeNumber(9091, { max: 65_535 }),
  PAYCONEX_RESERVE: z.enum(['required', 'preferred', 'off']).default('required'),
  EXTRA_PARAMETERS: list(),
  DEFAULT_PARAMETERS: defaultParameters,
  LATE_APPROVAL: z.enum(['report']).default('report'),
  WORKER_CONCURRENCY: wholeNumber(100, { min: 1, max: 10_000 }),
})

export type WorkerEnvironment = z.output<typeof variables>

/** The worker's configuration, or one `ConfigurationError` with all that is wrong. */
export function readWorkerEnvironment(env: NodeJS.ProcessEnv): WorkerEnvironment {
  const read = readEnvironment(variables, env)
  const problems = contradictionsOf(read)
  if (problems.length > 0) throw new ConfigurationError(problems)
  return read
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
