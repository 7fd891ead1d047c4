import { parseArgs } from 'node:util'
import { type RunName, runs } from './runs.ts'

const ABOUT = Object.entries(runs).map(
  ([name, { about }]) => `  ${name.padEnd(15)}${about.replaceAll('\n', `\n${' '.repeat(17)}`)}`,
)

export const HELP = `npm run bench -- [run] [options]

Measures what a payment costs, with real processes on real Redis servers and a stub of PayConex that costs next to nothing.
Three contenders: direct (Express and axios straight to PayConex), plain (BullMQ's add and waitUntilFinished, card data in
clear), ours (gateway and worker as they ship: sealed, fenced with fsync, ids reserved).

Runs
${ABOUT.join('\n')}

Options; each run has its own defaults
  --rounds N         how often each contender is measured (comparison: 5)
  --seconds S        how long each measurement takes
  --minutes M        soak: 30
  --callers N        at once, in a closed loop: 64
  --rate R           payments a second, in an open loop: fan-out 150, otherwise a part of what ours can do
  --payments N       in-flight: 10,000; ledger-memory and cpu-of-parts: 5,000; comparison: 4,000, to warm up
  --payconex-ms MS   how long PayConex takes: comparison 25 (where it is slow on purpose), in-flight 20,000, overload
                     and scale-out 100, otherwise 0
  --concurrency N    payments at once per worker: in-flight 10,000, overload 10, scale-out 10, otherwise 100
  --times X          overload: so many times of what can be done; 2

  --write            put the result into docs/benchmarks.md, with its charts
  --json             print all figures as JSON instead of tables
  --strict           exit code 1 when a goal is not met

Needs Linux (/proc). Progress goes to standard error. Exit code: 0 measured, 1 --strict and a goal was not met, 2 wrong usage or
something did not start, 130 Ctrl-C.
`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

const options = {
  rounds: text,
  seconds: text,
  minutes: text,
  callers: text,
  rate: text,
  payments: text,
  'payconex-ms': text,
  concurrency: text,
  times: text,
  write: flag,
  json: flag,
  strict: flag,
  help: flag,
}

export type BenchOptions = ReturnType<typeof read>

/** The command line as an object; `help` alone when that was asked for. Throws a `TypeError` that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  return values.help ? 'help' : read(values, positionals)
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

function read(values: Values, [name = 'comparison', ...rest]: readonly string[]) {
  if (!Object.hasOwn(runs, name) || rest.length > 0)
    throw new TypeError(`the run must be one of ${Object.keys(runs).join(', ')}`)
  return {
    run: name as RunName,
    write: values.write,
    json: values.json,
    strict: values.strict,
    settings: {
      rounds: whole('rounds', values.rounds),
      seconds: positive('seconds', values.seconds),
      minutes: positive('minutes', values.minutes),
      callers: whole('callers', values.callers),
      rate: positive('rate', values.rate),
      payments: whole('payments', values.payments),
      payconexMs: positive('payconex-ms', values['payconex-ms']),
      concurrency: whole('concurrency', values.concurrency),
      times: positive('times', values.times),
    },
  }
}

function positive(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (!(value > 0 && value <= MOST)) throw new TypeError(`--${name} must be a number above 0`)
  return value
}

function whole(name: string, given: string | undefined): number | undefined {
  const value = positive(name, given)
  if (value !== undefined && !Number.isInteger(value)) throw new TypeError(`--${name} must be a whole number`)
  return value
}

const MOST = 10_000_000
