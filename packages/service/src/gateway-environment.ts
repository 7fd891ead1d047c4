import { z } from 'zod'
import { list, readableFile, readEnvironment, wholeNumber } from './environment.ts'
import { problemsOfCertificate } from './gateway-certificate.ts'
import { contradictionsOf, sharedVariables } from './shared-variables.ts'
import { SECOND } from './times.ts'
import { trustProxy } from './trust-proxy.ts'

const MAX_PORT = 65_535
const MAX_WINDOW_MS = 24 * 60 * 60 * SECOND
const window = wholeNumber(600 * SECOND, { min: 1, max: MAX_WINDOW_MS })

/** Every variable of the gateway. */
export const gatewayVariables = z.object({
  ...sharedVariables,
  PORT: wholeNumber(8080, { max: MAX_PORT }),
  HOST: z.string().default('0.0.0.0'),
  OPS_PORT: wholeNumber(9090, { max: MAX_PORT }),
  ALLOWED_ACCOUNTS: list(),
  CURRENCIES: list('USD').transform((currencies) => currencies.map((currency) => currency.toUpperCase())),
  MAX_WAITING: wholeNumber(20_000, { min: 1 }),
  BAD_CREDENTIALS_LIMIT: wholeNumber(20),
  BAD_CREDENTIALS_WINDOW_MS: window,
  CARD_TESTING_DECLINES: wholeNumber(50),
  CARD_TESTING_APPROVED_PERCENT: wholeNumber(20, { max: 100 }),
  CARD_TESTING_WINDOW_MS: window,
  TRUST_PROXY: trustProxy,
  TLS_CERT_FILE: readableFile.optional(),
  TLS_KEY_FILE: readableFile.optional(),
})

export type GatewayEnvironment = z.output<typeof gatewayVariables>

/** The gateway's configuration, or one `ConfigurationError` with all that is wrong. */
export const readGatewayEnvironment = (env: NodeJS.ProcessEnv): GatewayEnvironment =>
  readEnvironment(gatewayVariables, env, (read) => [...contradictionsOf(read), ...contradictionsOfGateway(read)])

function contradictionsOfGateway({ TLS_CERT_FILE, TLS_KEY_FILE, CURRENCIES }: GatewayEnvironment): string[] {
  const isHalf = (TLS_CERT_FILE === undefined) !== (TLS_KEY_FILE === undefined)
  return [
    ...(isHalf ? ['TLS_CERT_FILE and TLS_KEY_FILE belong together'] : []),
    ...(TLS_CERT_FILE && TLS_KEY_FILE ? problemsOfCertificate({ certFile: TLS_CERT_FILE, keyFile: TLS_KEY_FILE }) : []),
    ...(CURRENCIES.length === 0 ? ['CURRENCIES: must name at least one'] : []),
  ]
}
