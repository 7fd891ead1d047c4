import { ConfigurationError } from './environment.ts'
import { onSignals } from './signals.ts'

export type Running = {
  /** Stops taking new work, finishes what is in flight, closes everything. */
  drain: () => Promise<void>
  /** Writes what the log still holds. */
  flush: () => void
}

/** The life of a process: start, serve until SIGTERM or Ctrl-C, drain, exit 0. A second signal exits at once with 1: what
 * is in flight then is found again in the ledger. A start that fails prints why, without a stack for the operator's own
 * mistakes, and exits with 1; so does a bug that nobody caught, at any time. With `--help` it only says what it would need. */
export async function run(start: () => Promise<Running>, help: () => string): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(help())
  // Node itself would print such an error with its message and all its properties: one of axios carries the whole request.
  process.on('uncaughtException', giveUp)
  process.on('unhandledRejection', giveUp)
  // Also catches what `start` throws before its first promise: a wrong environment.
  const running = await Promise.resolve().then(start).catch(giveUp)
  onSignals(() => void end(running).catch(giveUp))
}

async function end({ drain, flush }: Running): Promise<never> {
  await drain()
  flush()
  process.exit(0)
}

/** The end of a process that cannot go on: prints why, exits with 1. */
export function giveUp(error: unknown): never {
  const text = error instanceof ConfigurationError ? error.message : `could not go on: ${nameOf(error)}`
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

/** A line of a stack trace: it ends with a place. A message may have several lines, too. */
const FRAME = /^\s+at .*:\d+:\d+\)?$/

/** Class, code and where, but no message: messages can quote a payload. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  const frames = (error.stack ?? '').split('\n').filter((line) => FRAME.test(line))
  return [`${error.name}${typeof code === 'string' ? ` ${code}` : ''}`, ...frames].join('\n')
}
