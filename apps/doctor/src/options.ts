import { parseArgs } from 'node:util'
import { type Credentials, Secret } from '@pay/mapper'
import { ConfigurationError, readEnvironment } from '@pay/service'
import { z } from 'zod'
import { askCredentials } from './ask.ts'
import type { Role } from './configuration.ts'

export const HELP = `npm run doctor -- [options]            node apps/doctor/src/main.ts [options]   (in the image)

Looks at everything that gateways and workers need, with the environment that they would have, and says what to do about what is
not as it must be: configuration, keys, both Redis servers, the ledger, clocks, certificates, this machine, PayConex. It changes
nothing, moves no money, prints no secret, and ends within 15 seconds.

  --role gateway|worker   look with the eyes of one of them (default: both; a Redis user of that name decides for its server)
  --ask                   ask for the PayConex account and access key, without showing them
  --json                  print the findings as JSON: name, state (ok, not checked, warning, wrong), seen, do
  --help

Environment: that of a gateway or worker, README.md, "Configuration". Besides:
  DOCTOR_ACCOUNT, DOCTOR_ACCESS_KEY   PayConex credentials (also as DOCTOR_ACCESS_KEY_FILE=/path). With them an id for a transaction
                                      is fetched, which is never made

  docker run --rm --env-file gateway.env payconex-pay-connector node apps/doctor/src/main.ts --role gateway

Exit code: 0 nothing is wrong, 1 something is, 2 wrong usage.
`

/** Raised for arguments that cannot be used. The person must change them. */
export class WrongUsage extends Error {
  override name = 'WrongUsage'
  readonly retry = false
}

export type DoctorOptions = {
  roles: readonly Role[]
  json: boolean
  credentials: Credentials | undefined
  /** A person was asked for them. */
  asked: boolean
}

const ROLES = ['gateway', 'worker'] as const

export async function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Promise<DoctorOptions | 'help'> {
  const { values } = parse(args)
  if (values.help) return 'help'
  const named = ROLES.filter((role) => role === values.role)
  if (values.role !== undefined && named.length === 0) throw new WrongUsage('--role must be gateway or worker')
  const credentials = values.ask ? await ask() : credentialsIn(env)
  return { roles: named.length > 0 ? named : ROLES, json: values.json, credentials, asked: values.ask }
}

function parse(args: readonly string[]) {
  const off = { type: 'boolean', default: false } as const
  try {
    return parseArgs({ args: [...args], options: { role: { type: 'string' }, ask: off, json: off, help: off } })
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

const variables = z.object({ DOCTOR_ACCOUNT: z.string().optional(), DOCTOR_ACCESS_KEY: z.string().optional() })

function credentialsIn(env: NodeJS.ProcessEnv): Credentials | undefined {
  try {
    const { DOCTOR_ACCOUNT: account = '', DOCTOR_ACCESS_KEY: accessKey = '' } = readEnvironment(variables, env)
    return account === '' && accessKey === '' ? undefined : toCredentials(account, accessKey)
  } catch (error) {
    throw error instanceof ConfigurationError ? new WrongUsage(error.problems.join('; ')) : error
  }
}

async function ask(): Promise<Credentials> {
  if (!process.stdin.isTTY)
    throw new WrongUsage('--ask needs a terminal: set DOCTOR_ACCOUNT and DOCTOR_ACCESS_KEY instead')
  const asked = askCredentials({ input: process.stdin, output: process.stderr })
  const { account, accessKey } = await asked.catch(() => {
    throw new WrongUsage('no credentials were given')
  })
  return toCredentials(account, accessKey)
}

/** An access key in the wrong place would be printed with the account. */
function toCredentials(account: string, accessKey: string): Credentials {
  if (account === '' || accessKey === '') throw new WrongUsage('DOCTOR_ACCOUNT and DOCTOR_ACCESS_KEY belong together')
  if (!/^\d{1,12}$/.test(account)) throw new WrongUsage('DOCTOR_ACCOUNT must be the account id, twelve digits')
  return { accountId: account, accessKey: new Secret(accessKey) }
}
