import { parseArgs } from 'node:util'
import { isInTheOpen, plaintext, readEnvironment, sharedVariables } from '@pay/service'
import { z } from 'zod'
import { dayAt, isDay, isZone, shifted, startOf } from './day.ts'
import { Unusable } from './unusable.ts'

export const HELP = `npm run reconcile -- --date 2026-11-28 [options]       in the image: node apps/reconcile/src/main.ts --date ...

Compares what the ledger knows of a day with PayConex' own report of it, and names what disagrees: charged twice, charged although
refused, charged and unknown, charged with another amount or id, approved and not charged. Only reads, on both sides.

  --date 2026-11-28      the day, in PayConex' time; "yesterday" is the last one that is over there
  --accounts keys.json   {"<account>": "<its access key>", ...}; or ACCOUNTS_FILE=keys.json
  --account <account>    this account only; its key is taken from the file, or asked for without being shown
  --zone America/Chicago the time zone of PayConex' days and timestamps; Bluefin does not document it
  --ignore-unnamed       leave out charges without a custom_id: this connector always gives one
  --unfinished           also a day that is not over there; Bluefin advises against reports of it
  --json                 the result as JSON, without a limit to what is listed
  --help

Environment: LEDGER_REDIS_URL (the user operator is enough), PAYCONEX_URL, SHARDS, LEDGER_RETENTION_DAYS, CA_FILE,
PAYCONEX_PROXY_URL, MODE, ALLOW_PLAINTEXT_REDIS, as for a worker. NAME_FILE=/path reads one from a file.

The ledger forgets after LEDGER_RETENTION_DAYS (7): an older day cannot be compared any more. docs/reconcile.md says what each finding
means and what a match cannot see.

Exit code: 0 all agrees, 1 something does not, 2 could not be compared (also where one account could not).
`

const variables = z.object({
  LEDGER_REDIS_URL: sharedVariables.LEDGER_REDIS_URL,
  PAYCONEX_URL: sharedVariables.PAYCONEX_URL,
  PAYCONEX_PROXY_URL: z.url({ protocol: /^https?$/ }).optional(),
  ACCOUNTS_FILE: z.string().optional(),
  SHARDS: sharedVariables.SHARDS,
  LEDGER_RETENTION_DAYS: sharedVariables.LEDGER_RETENTION_DAYS,
  CA_FILE: sharedVariables.CA_FILE,
  MODE: sharedVariables.MODE,
  ALLOW_PLAINTEXT_REDIS: sharedVariables.ALLOW_PLAINTEXT_REDIS,
})

export type ReconcileOptions = Exclude<ReturnType<typeof readOptions>, 'help'>

/** Arguments and environment as one object. `Unusable` and `ConfigurationError` say what is wrong, without a value of a secret. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv, now: number) {
  const { help, zone, json, account, accounts, unfinished, 'ignore-unnamed': ignoresUnnamed, date } = parsed(args)
  if (help) return 'help'
  if (!isZone(zone)) throw new Unusable('--zone must be a name such as America/Chicago')
  if (account !== undefined && !/^\d{12}$/.test(account)) throw new Unusable('--account must be twelve digits')
  const read = readEnvironment(variables, env, openDoors)
  const accountsFile = accounts ?? read.ACCOUNTS_FILE
  if (accountsFile === undefined && account === undefined)
    throw new Unusable('whose report? --accounts <file>, or --account <account>')
  const retentionMs = read.LEDGER_RETENTION_DAYS * DAY
  const day = readDay({ date, zone, now, retentionMs, unfinished })
  return { env: read, zone, day, json, account, accountsFile, ignoresUnnamed }
}

const flag = { type: 'boolean', default: false } as const

function parsed(args: readonly string[]) {
  const options = {
    date: { type: 'string' },
    accounts: { type: 'string' },
    account: { type: 'string' },
    zone: { type: 'string', default: 'America/Chicago' },
    'ignore-unnamed': flag,
    unfinished: flag,
    json: flag,
    help: flag,
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    // What was typed in the wrong place may be an access key.
    const isUnknown = (error as { code?: string }).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
    throw new Unusable(isUnknown ? 'an option is not known' : 'the arguments cannot be understood')
  }
}

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

type Asked = { date: string | undefined; zone: string; now: number; retentionMs: number; unfinished: boolean }

/** Which day, and from when to when it is by the ledger's clock. */
function readDay({ date, zone, now, retentionMs, unfinished }: Asked) {
  const today = dayAt(now, zone)
  const name = date === 'yesterday' ? shifted(today, -1) : date
  if (name === undefined || !isDay(name)) throw new Unusable('--date must be a day such as 2026-11-28, or "yesterday"')
  const [from, until] = [startOf(name, zone), startOf(shifted(name, 1), zone)]
  if (from > now) throw new Unusable(`--date: ${name} has not begun yet in ${zone}`)
  if (until > now && !unfinished)
    throw new Unusable(`--date: ${name} is not over yet in ${zone}; --unfinished compares it all the same`)
  // What the ledger has forgotten would be taken for charges that it never knew.
  if (now + HOUR > from + retentionMs)
    throw new Unusable(
      `--date: the ledger keeps payments for ${retentionMs / DAY} days (LEDGER_RETENTION_DAYS) and has begun to forget ${name}`,
    )
  return { name, from, until, today, isOver: until <= now }
}

/** The rules of gateways and workers: an access key goes to PayConex. */
function openDoors({
  MODE,
  ALLOW_PLAINTEXT_REDIS,
  LEDGER_REDIS_URL,
  PAYCONEX_URL,
}: z.output<typeof variables>): string[] {
  const ledger = MODE === 'strict' && !ALLOW_PLAINTEXT_REDIS && plaintext('LEDGER_REDIS_URL', LEDGER_REDIS_URL)
  return [
    ledger,
    isInTheOpen(PAYCONEX_URL, MODE) && 'PAYCONEX_URL must be https:// unless it is on this machine',
  ].filter((line) => typeof line === 'string')
}
