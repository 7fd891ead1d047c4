import { plaintext, readEnvironment, sharedVariables } from '@pay/service'
import { z } from 'zod'

/** What a worker's environment has, and less of it is needed: to look at payments the ledger's URL is enough. */
export const variables = z
  .object({
    ...sharedVariables,
    LATE_APPROVAL: z.enum(['report', 'reverse']).default('report'),
    ACCESS_KEY: z.string(),
  })
  .partial({ QUEUE_REDIS_URL: true, LEDGER_KEY: true, SEAL_KEYS: true, PAYCONEX_URL: true, ACCESS_KEY: true })

export type OperatorEnvironment = z.output<typeof variables>

export const readOperatorEnvironment = (env: NodeJS.ProcessEnv): OperatorEnvironment =>
  readEnvironment(variables, env, (read) =>
    [openDoor('LEDGER_REDIS_URL', read), openDoor('QUEUE_REDIS_URL', read)].filter((line) => typeof line === 'string'),
  )

/** The rule of gateways and workers. */
function openDoor(name: 'LEDGER_REDIS_URL' | 'QUEUE_REDIS_URL', env: Door) {
  const url = env[name]
  return env.MODE === 'strict' && !env.ALLOW_PLAINTEXT_REDIS && url !== undefined && plaintext(name, url)
}

type Door = Pick<OperatorEnvironment, 'MODE' | 'ALLOW_PLAINTEXT_REDIS' | 'LEDGER_REDIS_URL' | 'QUEUE_REDIS_URL'>
