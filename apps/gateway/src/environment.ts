import {
  ConfigurationError,
  contradictionsOf,
  list,
  readableFile,
  readEnvironment,
  sharedVariables,
  wholeNumber,
} from '@pay/service'
import { z } from 'zod'

const MAX_PORT = 65_535

const variables = z.object({
  ...sharedVariables,
  PORT: wholeNumber(8080, { max: MAX_PORT }),
  HOST: z.string().default('0.0.0.0'),
  OPS_PORT: wholeNumber(9090, { max: MAX_PORT }),
  ALLOWED_ACCOUNTS: list(),
  CURRENCIES: list('USD').transform((currencies) => currencies.map((currency) => currency.toUpperCase())),
  MAX_WAITING: wholeNumber(20_000, { min: 1 }),
  TLS_CERT_FILE: readableFile.optional(),
  TLS_KEY_FILE: readableFile.optional(),
})

export type GatewayEnvironment = z.output<typeof variables>

/** The gateway's configuration, or one `ConfigurationError` with all that is wrong. */
export function readGatewayEnvironment(env: NodeJS.ProcessEnv): GatewayEnvironment {
  const read = readEnvironment(variables, env)
  const problems = contradictionsOf(read)
  if ((read.TLS_CERT_FILE === undefined) !== (read.TLS_KEY_FILE === undefined)) {
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE belong together')
  }
  if (read.CURRENCIES.length === 0) problems.push('CURRENCIES: must name at least one')
  if (problems.length > 0) throw new ConfigurationError(problems)
  return read
}
