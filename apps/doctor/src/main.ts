import { SECOND } from '@pay/service'
import { examine } from './examine.ts'
import { isWrong } from './finding.ts'
import { HELP, readOptions, WrongUsage } from './options.ts'
import { show } from './show.ts'

/* `npm run doctor`: what is wrong with the environment of a gateway or worker, and what to do about it?
 * 1. Reads arguments; what cannot be used ends with 2 and a hint.
 * 2. Looks at everything, side by side; says on standard error what it waits for.
 * 3. Prints all findings on standard output. Ends with 0 (nothing is wrong) or 1. */

const LIMIT_MS = 14 * SECOND

async function main(args: readonly string[]): Promise<number> {
  const options = await readOptions(args, process.env)
  if (options === 'help') return print(HELP, 0)
  const onWaiting = (parts: readonly string[]) => say(`... still waiting for ${parts.join(', ')}`)
  // Counted from the start of this process, also on a machine that takes long to start one; a person has time to type.
  const limitMs = options.asked ? LIMIT_MS : Math.max(SECOND, LIMIT_MS - performance.now())
  const findings = await examine({ env: process.env, ...options, onWaiting, limitMs })
  const colours = process.stdout.isTTY && !process.env.NO_COLOR
  const text = options.json ? `${JSON.stringify({ findings }, undefined, 2)}\n` : show(findings, { colours })
  return print(text, findings.some(isWrong) ? 1 : 0)
}

const say = (line: string) => process.stderr.write(`${line}\n`)

/** Resolves when it is written: the process ends right after it. */
const print = (text: string, exitCode: number): Promise<number> =>
  new Promise((resolve) => process.stdout.write(text, () => resolve(exitCode)))

/** Class only: a message could quote what it choked on. */
function explain(error: unknown): number {
  const why =
    error instanceof WrongUsage
      ? error.message
      : `it could not go on: ${error instanceof Error ? error.name : typeof error}`
  say(`${why}\nSee: npm run doctor -- --help`)
  return 2
}

// Node itself would print an error with all its properties.
process.on('uncaughtException', (error) => process.exit(explain(error)))

// At once: a name that nobody resolves, or a server that never hangs up, must not hold us.
process.exit(await main(process.argv.slice(2)).catch(explain))
