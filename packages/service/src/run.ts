import { ConfigurationError } from './environment.ts'
import { onSignals } from './signals.ts'

export type Running = {
  /** Stops taking new work, finishes what is in flight, closes everything. */
  drain: () => Promise<void>
  /** Writes what the log still holds. */
  flush: () => void
}

/** The life of a process: start, serve until SIGTERM or Ctrl-C, drain, exit 0. A second signal, or one before it serves, exits at
 * once with 1: what is in flight then is found again in the ledger. A start that fails prints why, without a stack for the
 * operator's own mistakes, and exits with 1; so does a bug that nobody caught, at any time. With `--help` it only says what it
 * would need. */
export async function run(start: () => Promise<Running>, help: () => string): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(help())
  // Node itself would print such an error with its message and all its properties: one of an HTTP client can carry the whole request.
  process.on('uncaughtException', giveUp)
  process.on('unhandledRejection', giveUp)
  closeDoors()
  let running: Running | undefined
  // Before it starts, so that whoever reads that it serves may end it at once. Until then there is nothing to drain.
  onSignals(() => (running ? void end(running).catch(giveUp) : process.exit(1)))
  // Also catches what `start` throws before its first promise: a wrong environment.
  running = await Promise.resolve().then(start).catch(giveUp)
}

/** What Node would do at a signal or a crash, and nobody asked for: open a debugger, to whom all memory is readable, or write a report
 * with the environment and its keys. With a listener of its own SIGUSR1 no longer opens the debugger. */
function closeDoors(): void {
  process.on('SIGUSR1', () => undefined)
  if (!process.report) return
  Object.assign(process.report, {
    excludeEnv: true,
    reportOnSignal: false,
    reportOnFatalError: false,
    reportOnUncaughtException: false,
  })
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
