import { parseArgs } from 'node:util'

export const HELP = `npm run mutation                    changes the TypeScript that decides about money and cards, one small change at a
                                    time (Stryker), and counts the changes that no test notices
npm run mutation -- lua             the same for the Lua scripts of the ledger and of the queue, on real Redis servers
npm run mutation -- lua --guards    takes only the refusals and assertions of the scripts away, one at a time (part of npm test)

  --only NAME      lua: of one script alone (admit, fence, ...). Otherwise: of the files that this pattern names
  --concurrency N  so many changes at once; 2 by default
  --fresh          Stryker: does not take over what the last run knew of files that have not changed since

Stryker is installed into tools/mutation when it is needed for the first time; only one run of it at a time. Its report is
.local/mutation/report.html.
Exit code: 0 when the score is at least 85, or when a test noticed every change of the scripts that is not listed as one
that cannot be noticed (scripts/mutation/lua-equivalents.ts); 1 otherwise; 2 wrong usage; 130 Ctrl-C.
`

export type MutationOptions = {
  what: 'typescript' | 'lua'
  only: string | undefined
  concurrency: number
  guards: boolean
  fresh: boolean
}

/** The command line as an object; `help` alone when that was asked for. Throws a `TypeError` that says what is wrong. */
export function readOptions(args: readonly string[]): MutationOptions | 'help' {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (values.help) return 'help'
  const [what = 'typescript', ...more] = positionals
  if ((what !== 'typescript' && what !== 'lua') || more.length > 0)
    throw new TypeError(`unknown: ${positionals.join(' ')}`)
  const concurrency = Number(values.concurrency)
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new TypeError('--concurrency: a whole number from 1')
  return { what, only: values.only, concurrency, guards: values.guards, fresh: values.fresh }
}

const options = {
  only: { type: 'string' },
  concurrency: { type: 'string', default: '2' },
  guards: { type: 'boolean', default: false },
  fresh: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const
