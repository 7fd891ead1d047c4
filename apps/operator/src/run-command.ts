import { WrongLedger } from '@pay/ledger'
import { isRefusal } from '@pay/payment-queue'
import { ConfigurationError, checkProcess, reasonOf } from '@pay/service'
import { type Given, readArguments, type Verb } from './arguments.ts'
import { ask } from './ask.ts'
import { audit } from './audit.ts'
import { type Desk, openDesk } from './desk.ts'
import { EXIT, Refused, Unusable } from './ending.ts'
import { readOperatorEnvironment } from './environment.ts'
import { HELP } from './help.ts'
import { list } from './list.ts'
import { resolve } from './resolve.ts'
import { reverse } from './reverse.ts'
import { show } from './show.ts'
import { stats } from './stats.ts'
import { say, type Terminal } from './terminal.ts'
import { watch } from './watch.ts'

/** What a verb works with; it answers the exit code. */
export type Tools = { args: Given; desk: Desk; terminal: Terminal }

const WORKS: Readonly<Record<Verb, (tools: Tools) => Promise<number>>> = {
  show,
  list,
  watch,
  stats,
  audit,
  ask,
  resolve,
  reverse,
}

/** One command, from its words to its exit code.
 *
 *  1 read the words                cannot be understood                      2
 *  2 read the environment          something is missing or wrong             2
 *  3 connect, and look at the book nobody there, or another ledger           2
 *  4 the verb's work               refused, or not found                     1
 *                                  done                                      0
 */
export async function runCommand(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const args = readArguments(words, { now: Date.now(), user: terminal.user })
    if (args === undefined) return help(words, terminal)
    const env = readOperatorEnvironment(terminal.env)
    checkProcess(env, SILENT)
    const desk = await openDesk(env)
    try {
      return await WORKS[args.verb]({ args, desk, terminal })
    } finally {
      desk.close()
    }
  } catch (error) {
    return explain(error, terminal)
  }
}

/** What is only warned about is said by gateways and workers. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

function help(words: readonly string[], { output }: Terminal): number {
  output.write(HELP)
  return words.length === 0 ? EXIT.unusable : EXIT.done
}

/** Only messages of our own are shown: others can quote what they choked on. */
function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof Refused) {
    say(terminal, `refused: ${error.message}`)
    return EXIT.refused
  }
  const isOurs = [Unusable, ConfigurationError, WrongLedger].some((kind) => error instanceof kind)
  say(terminal, isOurs ? (error as Error).message : strange(error))
  if (error instanceof Unusable) say(terminal, 'See: npm run payments -- --help')
  return EXIT.unusable
}

/** What Redis itself says, by its first word. */
function strange(error: unknown): string {
  const word = isRefusal(error) ? error.message.split(' ')[0] : reasonOf(error)
  if (word === 'NOPERM')
    return 'the ledger refused it: its user has too few rights (deploy/redis: operator looks, cashier changes)'
  if (word === 'WENTBACK')
    return 'LEDGER_REDIS_URL: not this ledger any more (docs/reliability.md, "When the ledger went back")'
  return `the ledger did not answer (${word}): nothing is known to have been done; look with \`show\``
}
