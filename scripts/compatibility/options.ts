import { parseArgs } from 'node:util'
import type { Matrix } from './combine.ts'

export const HELP = `npm run compatibility

Runs the integration and end-to-end tests with each Redis (on the newest LTS of Node) and with each Node (on the oldest Redis).

  --redis NAME     redis-7.0, redis-8 or valkey-8, from Debian's packages (needs apt-get, not root); or the path of a server's
                   program. Can be given several times; all three by default
  --node MAJOR     22, 24 or 26, from the npm registry; can be given several times, all three by default
  --cross          every Redis with every Node
  --kind NAME      unit, integration, schedules or e2e; can be given several times. integration and e2e by default
  --write          puts the table into docs/compatibility.md

Servers and runtimes are kept in .local/compatibility. Five runs of six minutes each, where nothing else is at work.
Exit code: 0 everything passed, 1 something did not, 2 wrong usage or something could not be fetched, 130 Ctrl-C.
`

export type Options = Matrix & { kinds: string[]; write: boolean }

const KINDS = ['unit', 'integration', 'schedules', 'e2e']

/** The command line as an object; `help` alone when that was asked for. Throws a `TypeError` that says what is wrong. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options })
  if (values.help) return 'help'
  const { redis, kind: kinds, cross, write } = values
  const unknown = kinds.find((kind) => !KINDS.includes(kind))
  if (unknown !== undefined) throw new TypeError(`--kind ${unknown}: one of ${KINDS.join(', ')}`)
  const nodes = values.node.map(Number)
  if (!nodes.every((major) => Number.isInteger(major) && major >= 22)) throw new TypeError('--node: a number from 22')
  return { redis, nodes, cross, kinds, write }
}

const options = {
  redis: { type: 'string', multiple: true, default: ['redis-7.0', 'redis-8', 'valkey-8'] as string[] },
  node: { type: 'string', multiple: true, default: ['24', '22', '26'] as string[] },
  kind: { type: 'string', multiple: true, default: ['integration', 'e2e'] as string[] },
  cross: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const
