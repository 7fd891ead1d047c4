import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

export const HELP = `npm run scan -- [options]

Is there a card anywhere? Looks through both Redis servers (what they hold, their logs of slow commands, their clients and
channels, and their files where they run on this machine) and through files, and says where card data lies. What it
finds it never prints.

What is looked for (default: every card number and every PayConex access key, by its shape)
  --values FILE            these values instead, one a line; - is standard input. Cards, CVVs, bank accounts, access keys,
                           "account:key" for Basic. A value with fewer than 6 characters is looked for as a whole word
  --card N                 this one instead; repeat it for more. Test cards only: command lines are public
  --every-run              also what passes the check digit and is no brand's

Where
  --redis URL              this server; repeat it for more. Default: QUEUE_REDIS_URL and LEDGER_REDIS_URL, or the files that
                           QUEUE_REDIS_URL_FILE and LEDGER_REDIS_URL_FILE name; without --path they are required. CA_FILE is
                           trusted. With the users of deploy/redis: operator
  --memory-only            not the files of these servers: they are on another machine, where --path looks at them
  --path FILE_OR_FOLDER    this, too: logs (also .gz, .zst), dumps and append-only files of Redis, core files. Repeat it
  --json                   print the result as JSON

Dumps are compressed: one is read by a redis-server of our own, from a copy in a private temporary folder.

Exit code: 0 nothing found, 1 found, 2 something could not be looked at, or wrong usage. Found wins.
`

const options = {
  values: { type: 'string', multiple: true, default: [] as string[] },
  card: { type: 'string', multiple: true, default: [] as string[] },
  'every-run': { type: 'boolean', default: false },
  redis: { type: 'string', multiple: true, default: [] as string[] },
  'memory-only': { type: 'boolean', default: false },
  path: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

export type ScanOptions = {
  /** What to look for; nothing: whatever has the shape. */
  values: string[]
  everyRun: boolean
  redis: string[]
  memoryOnly: boolean
  paths: string[]
  caFile: string | undefined
  json: boolean
}

/** The command line as an object; `help` alone when that was asked for. Throws a `TypeError` that says what is wrong, without
 * any of the values. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): ScanOptions | 'help' {
  const { values: given, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (given.help) return 'help'
  // Not named: it may be a value.
  if (positionals.length > 0) throw new TypeError('there is an argument without an option before it')
  const redis = given.redis.length > 0 ? given.redis : serversIn(env)
  if (redis.length === 0 && given.path.length === 0) {
    throw new TypeError('nothing to look at: QUEUE_REDIS_URL, LEDGER_REDIS_URL, --redis or --path')
  }
  const values = [...given.card, ...given.values.flatMap(linesOf)]
  if (given.card.length + given.values.length > 0) checkValues(values)
  return {
    values,
    everyRun: given['every-run'],
    redis: redis.map(serverUrl),
    memoryOnly: given['memory-only'],
    paths: given.path,
    caFile: env.CA_FILE,
    json: given.json,
  }
}

/** A URL with a password is a secret, which also may be in a file. */
const serversIn = (env: NodeJS.ProcessEnv) =>
  ['QUEUE_REDIS_URL', 'LEDGER_REDIS_URL'].flatMap((name) => env[name] || inFile(`${name}_FILE`, env) || [])

function inFile(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const file = env[name]
  return file ? read(file, name).trim() : undefined
}

const STANDARD_INPUT = 0

function linesOf(file: string): string[] {
  const text = read(file === '-' ? STANDARD_INPUT : file, '--values')
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function read(file: string | number, option: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new TypeError(`${option} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'no text'}`)
  }
}

const SHORTEST = 3

function checkValues(values: readonly string[]): void {
  if (values.length === 0) throw new TypeError('--values has no values')
  const short = values.findIndex((value) => value.length < SHORTEST)
  if (short >= 0)
    throw new TypeError(`value ${short + 1} is shorter than ${SHORTEST} characters, and would be everywhere`)
}

function serverUrl(url: string): string {
  // Only some of its nodes may be named there, and one that nobody has looked at is not clean.
  if (/^rediss?\+cluster:/.test(url)) throw new TypeError('of a cluster every node is a --redis of its own')
  if (!/^rediss?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new TypeError('a server must be a redis:// or rediss:// URL')
  return url
}
