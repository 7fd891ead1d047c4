import {
  ConfigurationError,
  gatewayVariables,
  readGatewayEnvironment,
  readWorkerEnvironment,
  workerVariables,
} from '@pay/service'
import { type Finding, ok, warning, wrong } from './finding.ts'
import { type LookAlike, lookAlikes } from './look-alikes.ts'

type Environment = Readonly<Record<string, string | undefined>>
export type Role = 'gateway' | 'worker'

const READERS = { gateway: readGatewayEnvironment, worker: readWorkerEnvironment } as const
const NAMES = { gateway: Object.keys(gatewayVariables.shape), worker: Object.keys(workerVariables.shape) } as const

/** Variables of commands of ours, which no process reads: no reason to warn. */
const OF_COMMANDS = ['PAYCONEX_ACCOUNT_ID', 'PAYCONEX_ACCESS_KEY', 'DOCTOR_ACCOUNT', 'DOCTOR_ACCESS_KEY']

/** All that gateways and workers would refuse in this environment, as they read it themselves, and what neither would ever read. */
export function examineConfiguration(env: Environment, roles: readonly Role[]): Finding[] {
  const found = roles.flatMap((role) => problemsOf(role, env).map((problem) => ({ role, problem })))
  const alike = lookAlikes(env, [...NAMES.gateway, ...NAMES.worker, ...OF_COMMANDS])
  const problems = [...new Set(found.map(({ problem }) => problem))].map((problem) => {
    const whose = found.filter((each) => each.problem === problem).map(({ role }) => role)
    return toFinding(problem, nameFor(whose, roles), env, alike)
  })
  const set = NAMES.gateway
    .concat(NAMES.worker)
    .filter((name, nth, all) => isSet(name, env) && all.indexOf(name) === nth)
  const fine = ok('configuration', `${set.length} variables are set for ${roles.join(' and ')}, all can be used`)
  return [...(problems.length === 0 ? [fine] : problems), ...unread(alike), ...setTwice(env)]
}

function problemsOf(role: Role, env: Environment): readonly string[] {
  try {
    READERS[role](env)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

const nameFor = (whose: readonly Role[], asked: readonly Role[]) =>
  whose.length < asked.length ? `configuration (${whose.join()})` : 'configuration'

function toFinding(problem: string, name: string, env: Environment, alike: readonly LookAlike[]): Finding {
  const [, variable = ''] = /^([A-Z_]+):/.exec(problem) ?? []
  const misspelt = alike.find(({ meant }) => meant === variable)
  if (misspelt) return wrong(name, problem, `rename ${misspelt.name} to ${variable}`)
  if (isQuoted(env[variable])) return wrong(name, problem, UNQUOTE)
  if (hasBlanks(env[variable])) return wrong(name, problem, 'take the blanks at its ends away')
  return wrong(name, problem, remedyFor(problem, variable))
}

const UNQUOTE = 'take the quotes around it away: `docker run --env-file` keeps them'

const hasBlanks = (value = '') => value !== value.trim()

const isQuoted = (value = '') => /^(["']).*\1$/s.test(value)

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/: is required$/, 'set it, or name a file that holds it in $_FILE (README.md, "Configuration")'],
  [/file cannot be read|files cannot be read/, 'look whether it is there and may be read by the user of this process'],
  [/SEND_BY_MS|ANSWER_BY_MS/, 'keep SEND_BY_MS + PAYCONEX_TIMEOUT_MS <= ANSWER_BY_MS <= TRIES x TRY_TIMEOUT_MS'],
  [/^SEAL_KEYS/, 'npm run -s keys -- new prints a good one; old ones stay behind it ("Changing keys" in README.md)'],
  [/^LEDGER_KEY/, 'npm run -s keys -- ledger prints one. For a ledger in use only the one it was begun with will do'],
  [/two servers/, 'the queue must never write to a disk and the ledger always must: start a second Redis'],
  [/rediss/, 'let the server speak TLS, or set ALLOW_PLAINTEXT_REDIS=true where the network is your own'],
]

const remedyFor = (problem: string, variable: string) =>
  (
    REMEDIES.find(([pattern]) => pattern.test(problem))?.[1] ?? 'change it; README.md, "Configuration", has all of them'
  ).replace('$', variable)

/** Nothing stops for it, and nothing comes of it. */
const unread = (alike: readonly LookAlike[]): Finding[] =>
  alike.map(({ name, meant }) =>
    meant === undefined
      ? warning(
          'configuration',
          `${name} is set and nothing reads it`,
          'compare with README.md, "Configuration", or unset it',
        )
      : warning('configuration', `${name} is set and nothing reads it`, `did you mean ${meant}?`),
  )

const setTwice = (env: Environment): Finding[] =>
  [...new Set([...NAMES.gateway, ...NAMES.worker])]
    .filter((name) => env[name] && env[`${name}_FILE`] && !name.endsWith('_FILE'))
    .map((name) => warning('configuration', `${name} and ${name}_FILE are set; the file is not read`, `unset ${name}`))

const isSet = (name: string, env: Environment) => Boolean(env[name] || env[`${name}_FILE`])
