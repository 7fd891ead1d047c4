import { onSignals } from '@pay/service'
import { busyness, describeMachine } from './bench/machine.ts'
import { type BenchOptions, HELP, readOptions } from './bench/options.ts'
import { writePage } from './bench/page.ts'
import type { Result } from './bench/result.ts'
import { runs } from './bench/runs.ts'
import { showResult } from './bench/show.ts'
import { say } from './process/say.ts'

/* `npm run bench`: what a payment costs.
 * 1. Reads the options.
 * 2. Runs one of bench/runs.ts. Everything that is started dies with us.
 * 3. Prints what was found and whether the goals are met; with --write puts it into docs/benchmarks.md. */

const INTERRUPTED = 130
const UNUSABLE = 2

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args)
  if (options === undefined) return UNUSABLE
  if (options === 'help') return print(HELP, 0)
  onSignals(() => process.exit(INTERRUPTED))
  const busyBefore = busyness()
  const result = await runs[options.run].run({ ...options.settings, say })
  const machine = await describeMachine(busyBefore)
  if (options.write) await write(options.run, result, args, machine)
  return print(text(options, result, machine), exitCodeFor(options, result))
}

/** Undefined, and the reason said, where they cannot be used. */
function optionsOf(args: readonly string[]): BenchOptions | 'help' | undefined {
  try {
    return readOptions(args)
  } catch (error) {
    say(`${(error as Error).message}\nSee: npm run bench -- --help`)
    return undefined
  }
}

const text = ({ run, json }: BenchOptions, result: Result, machine: string): string =>
  json
    ? `${JSON.stringify({ run, machine, goals: result.goals, figures: result.figures }, undefined, 2)}\n`
    : `\n${showResult(result)}\n${machine}\n`

function write(run: BenchOptions['run'], result: Result, args: readonly string[], machine: string): Promise<void> {
  const shown = args.filter((arg) => arg !== '--write')
  const command = ['npm run bench', ...(shown.length > 0 ? ['--', ...shown] : [])].join(' ')
  return writePage({ run, result, command, machine })
}

const exitCodeFor = ({ strict }: BenchOptions, { goals }: Result): number =>
  strict && goals.some(({ isMet }) => !isMet) ? 1 : 0

function print(written: string, exitCode: number): number {
  process.stdout.write(written)
  return exitCode
}

function fail(error: unknown): number {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return UNUSABLE
}

process.exit(await main(process.argv.slice(2)).catch(fail))
