import { parseArgs } from 'node:util'
import { type Sabotage, sabotages } from './sabotage.ts'

export const HELP = `npm run chaos -- --payments N --seed S [--minutes M]

Runs 2 gateways, 3 workers, two Redis servers and the simulator, lets callers pay as Twilio does, breaks whatever can
break, and compares three books at the end: PayConex' (the simulator's), ours (the ledger), and what each caller heard.

  --payments N        how many; 1000 by default
  --seed S            chooses payments and faults; 1 by default. Times on the wall differ from run to run all the same
  --minutes M         begin no payment after that; unlimited by default
  --rate R            payments begun in a second; 100 by default
  --time-scale X      of every duration in the system (TIME_SCALE); 0.05 by default: tries of 0.5 s, SEND_BY after 1.1 s,
                      ANSWER_BY after 2.75 s, a worker counts as silent after 0.25 s
  --absence-margin S  seconds by the clock, scaled already; 3 by default. "Not charged" after silence rests on it being
                      longer than any pause. So nothing here is stopped or held back for longer than half of it, and
                      PayConex is never slower than PAYCONEX_TIMEOUT
  --late P            LATE_APPROVAL: report (default) or reverse
  --calm              no faults at all: what rate does this machine sustain?
  --rush              faults at short intervals, for a short run
  --break WHAT        take one safeguard away, in a copy of the source: ${Object.keys(sabotages).join(', ')}. The run must then
                      find a double charge or a false answer
  --settle S          seconds to wait at the end for open payments; 60 by default
  --log LEVEL         of gateways and workers, written to the run's folder; error by default
  --keep              keep the run's folder also when all is well

Prints one line at the end. Exit code: 0 when nobody was charged twice, nobody was told a falsehood, nothing is left
unresolved, at least 80 % were approved, at most 2 % got no answer, every payment that no fault touched was approved, and
each kind of fault touched at least 1 % of the payments. (What this machine was too busy for, see starved= in the line,
counts as touched.) 1 when one of these failed: the folder with the three books, the
log of the faults and what is wrong is then kept and named. 2 wrong usage or nothing could be started. 130 Ctrl-C.
`

const options = {
  payments: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string' },
  rate: { type: 'string', default: '100' },
  'time-scale': { type: 'string', default: '0.05' },
  'absence-margin': { type: 'string', default: '3' },
  late: { type: 'string', default: 'report' },
  calm: { type: 'boolean', default: false },
  rush: { type: 'boolean', default: false },
  break: { type: 'string' },
  settle: { type: 'string', default: '60' },
  log: { type: 'string', default: 'error' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

export type ChaosOptions = {
  payments: number
  seed: number
  minutes: number
  rate: number
  timeScale: number
  absenceMarginMs: number
  late: 'report' | 'reverse'
  calm: boolean
  rush: boolean
  broken: Sabotage | undefined
  settleMs: number
  logLevel: string
  keep: boolean
}

/** The command line as an object; `help` alone when that was asked for. Throws a `TypeError` that says what is wrong. */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({ args: [...args], options })
  if (values.help) return 'help'
  return {
    payments: number('--payments', values.payments, { from: 1, to: 10_000_000 }),
    seed: number('--seed', values.seed, { from: 0, to: 2 ** 31 }),
    minutes:
      values.minutes === undefined ? Number.POSITIVE_INFINITY : number('--minutes', values.minutes, { to: 1440 }),
    rate: number('--rate', values.rate, { to: 5_000 }),
    timeScale: number('--time-scale', values['time-scale'], { to: 1 }),
    absenceMarginMs: 1000 * number('--absence-margin', values['absence-margin'], { to: 600 }),
    late: oneOf('--late', values.late, ['report', 'reverse']),
    calm: values.calm,
    rush: values.rush,
    broken: values.break === undefined ? undefined : oneOf('--break', values.break, namesOf(sabotages)),
    settleMs: 1000 * number('--settle', values.settle, { to: 3600 }),
    logLevel: oneOf('--log', values.log, ['error', 'warn', 'info', 'debug']),
    keep: values.keep,
  }
}

type Range = { from?: number; to: number }

function number(name: string, text: string, { from = Number.MIN_VALUE, to }: Range): number {
  const value = Number(text)
  if (!(value >= from && value <= to)) throw new TypeError(`${name} must be a number above 0 and at most ${to}`)
  return value
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text)
  if (name === undefined) throw new TypeError(`${option} must be one of ${names.join(', ')}`)
  return name
}

const namesOf = <Table extends object>(table: Table) => Object.keys(table) as (keyof Table & string)[]
