import { onSignals } from '@pay/service'
import { mutateLua } from './mutation/lua.ts'
import { HELP, readOptions } from './mutation/options.ts'
import { runStryker } from './mutation/stryker.ts'
import { say } from './process/say.ts'

/* `npm run mutation`: would a test notice if the code were a little wrong?
 * 1. Reads the options.
 * 2. Changes one place at a time, in a copy, and runs the tests that could notice: TypeScript by Stryker, Lua by mutation/lua.ts.
 * 3. Prints a table, and each change that no test noticed. Ends with 0 when that is good enough, else 1. */

const INTERRUPTED = 130
const UNUSABLE = 2

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  const interrupt = new AbortController()
  onSignals(() => interrupt.abort())
  const over = interrupt.signal
  const isGood = options.what === 'lua' ? await mutateLua({ ...options, over }) : await runStryker({ ...options, over })
  if (over.aborted) return INTERRUPTED
  return isGood ? 0 : 1
}

function fail(error: unknown): number {
  const hint = error instanceof TypeError ? '\nSee: npm run mutation -- --help' : ''
  say(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}${hint}`)
  return UNUSABLE
}

process.exit(await main(process.argv.slice(2)).catch(fail))
