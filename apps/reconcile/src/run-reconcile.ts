import { WrongLedger } from '@pay/ledger'
import { ConfigurationError, progressOn, reasonOf } from '@pay/service'
import type { Terminal } from './accounts.ts'
import { HELP, readOptions } from './options.ts'
import { type Reconciled, reconcile } from './reconcile.ts'
import { showResult, toJson } from './show.ts'
import { Unusable } from './unusable.ts'

/** 0 all agrees, 1 something does not, 2 it could not be compared. */
export const EXIT = { agrees: 0, disagrees: 1, failed: 2 } as const

export type Surroundings = Terminal & {
  env: NodeJS.ProcessEnv
  /** The result, and nothing else: a program may read it. */
  output: NodeJS.WritableStream
  messages: NodeJS.WritableStream & { isTTY?: boolean }
  now: () => number
}

/** The command, from its words to its exit code. */
export async function runReconcile(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, input, output, messages, now } = surroundings
  try {
    const options = readOptions(words, env, now())
    if (options === 'help') return print(output, HELP, EXIT.agrees)
    const progress = progressOn(messages)
    const result = await reconcile(options, { input, messages, tell: progress.at }).finally(progress.done)
    return print(output, options.json ? `${JSON.stringify(toJson(result))}\n` : showResult(result), exitCodeOf(result))
  } catch (error) {
    messages.write(`${explain(error)}\n`)
    return EXIT.failed
  }
}

function exitCodeOf({ failed, findings }: Reconciled): number {
  if (failed.length > 0) return EXIT.failed
  return findings.length > 0 ? EXIT.disagrees : EXIT.agrees
}

function print(output: NodeJS.WritableStream, text: string, exitCode: number): number {
  output.write(text)
  return exitCode
}

/** Only messages of our own are shown: others can quote what they choked on. */
function explain(error: unknown): string {
  if (error instanceof Unusable) return `${error.message}\nSee: npm run reconcile -- --help`
  if (error instanceof ConfigurationError || error instanceof WrongLedger) return error.message
  const word = error instanceof Error && error.name === 'ReplyError' ? error.message.split(' ')[0] : reasonOf(error)
  if (word === 'NOPERM') return 'LEDGER_REDIS_URL: its user may not read all of the ledger (deploy/redis: operator may)'
  return `could not be compared (${word}): nothing was changed, and nothing is known; run it again`
}
