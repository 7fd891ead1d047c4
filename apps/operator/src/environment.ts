import { contradictionOfTimes, isLoopback, plaintext, readEnvironment, sharedVariables } from '@pay/service'
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
    [
      contradictionOfTimes(read),
      isShortened(read) && 'TIME_SCALE must be 1 unless PAYCONEX_URL is on this machine',
      openDoor('LEDGER_REDIS_URL', read),
      openDoor('QUEUE_REDIS_URL', read),
    ].filter((line) => typeof line === 'string'),
  )

/** When a person may say that a payment was declined is reckoned by these times: shorter ones than the workers' would let a payment
 * be charged again while PayConex may still be at work on it. */
const isShortened = ({ TIME_SCALE, PAYCONEX_URL }: Pick<OperatorEnvironment, 'TIME_SCALE' | 'PAYCONEX_URL'>): boolean =>
  TIME_SCALE !== 1 && !(PAYCONEX_URL !== undefined && isLoopback(new URL(PAYCONEX_URL).hostname))

/** The rule of gateways and workers. */
function openDoor(name: 'LEDGER_REDIS_URL' | 'QUEUE_REDIS_URL', env: Door) {
  const url = env[name]
  return env.MODE === 'strict' && !env.ALLOW_PLAINTEXT_REDIS && url !== undefined && plaintext(name, url)
}

type Door = Pick<OperatorEnvironment, 'MODE' | 'ALLOW_PLAINTEXT_REDIS' | 'LEDGER_REDIS_URL' | 'QUEUE_REDIS_URL'>
