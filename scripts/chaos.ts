import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onSignals } from '@pay/service'
import { type ChaosOptions, HELP, readOptions } from './chaos/options.ts'
import { explain, lineOf, showProgress } from './chaos/report.ts'
import { type Ended, runChaos } from './chaos/run.ts'
import { withSource } from './chaos/sabotage.ts'
import { say } from './process/say.ts'
import type { Log } from './stack/service.ts'

/* `npm run chaos`: many payments, everything breaks, three books are compared.
 * 1. Reads the options; makes a folder for the books, and with --break a copy of the source without one safeguard.
 * 2. Runs (chaos/run.ts), saying how it goes.
 * 3. Prints its line, and what is wrong. Ends with 0, or 1 when something is; the folder is kept then. Ctrl-C: 130. */

const LOG_LIMIT_BYTES = 50 * 1024 * 1024
const INTERRUPTED = 130
const UNUSABLE = 2
const END_LIMIT_MS = 20_000

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === 'help') return print(HELP, 0)
  const folder = await mkdtemp(join(tmpdir(), `pay-chaos-${options.seed}-`))
  const interrupt = new AbortController()
  onSignals(() => {
    interrupt.abort()
    // What does not end by itself in time ends with us: the reaper removes it.
    setTimeout(() => process.exit(INTERRUPTED), END_LIMIT_MS).unref()
  })
  const ended = await withSource(options.broken, (source) => perform(options, folder, source, interrupt.signal))
  console.log(lineOf(options.seed, ended))
  if (interrupt.signal.aborted) return discard(folder, INTERRUPTED)
  const isGood = ended.verdict.failures.length === 0
  if (isGood && !options.keep) return discard(folder, 0)
  await writeFile(join(folder, 'failures.txt'), `${ended.verdict.failures.join('\n')}\n`)
  say(`${explain(ended.verdict)}\nseed ${options.seed}; the books and the log of the faults are in ${folder}`)
  return isGood ? 0 : 1
}

async function perform(
  options: ChaosOptions,
  folder: string,
  source: string | undefined,
  over: AbortSignal,
): Promise<Ended> {
  let stopProgress: () => void = () => undefined
  try {
    return await runChaos({
      ...options,
      folder,
      source,
      over,
      log: logInto(join(folder, 'processes.log')),
      onStart: (view) => {
        stopProgress = showProgress(view, options.payments)
      },
    })
  } finally {
    stopProgress()
  }
}

/** The lines of all processes, up to a limit: a long run must not fill the disk. */
function logInto(file: string): Log {
  const stream = createWriteStream(file)
  return (name) => (line) => {
    if (stream.bytesWritten < LOG_LIMIT_BYTES) stream.write(`${name} ${line}\n`)
  }
}

async function discard(folder: string, exitCode: number): Promise<number> {
  await rm(folder, { recursive: true, force: true })
  return exitCode
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

function fail(error: unknown): number {
  const hint = error instanceof TypeError ? '\nSee: npm run chaos -- --help' : ''
  say(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}${hint}`)
  return UNUSABLE
}

process.exit(await main(process.argv.slice(2)).catch(fail))
