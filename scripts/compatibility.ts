import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onSignals } from '@pay/service'
import { type Combination, combine } from './compatibility/combine.ts'
import { findNode } from './compatibility/nodes.ts'
import { HELP, readOptions } from './compatibility/options.ts'
import { type Outcome, runCombination } from './compatibility/run.ts'
import { findServer } from './compatibility/servers.ts'
import { isGood, toTable } from './compatibility/show.ts'
import { withSection } from './docs/section.ts'
import { say } from './process/say.ts'
import { repository } from './stack/service.ts'

/* `npm run compatibility`: do the suites pass with the servers and runtimes that people have?
 * 1. Reads the options.
 * 2. Fetches each server and each Node that is not here yet into .local/compatibility.
 * 3. Runs the suites with one server and one Node after the other; what fails does not keep the next from running.
 * 4. Prints a table, and with --write puts it into docs/compatibility.md. Ends with 0 when all passed, else 1; Ctrl-C: 130. */

const INTERRUPTED = 130
const UNUSABLE = 2
const PAGE = join(repository, 'docs/compatibility.md')

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  const interrupt = new AbortController()
  onSignals(() => interrupt.abort())
  const outcomes: Outcome[] = []
  for (const combination of combine(options)) {
    if (interrupt.signal.aborted) return INTERRUPTED
    outcomes.push(await tryOut(combination, options.kinds, interrupt.signal))
    console.log(`\n${toTable(outcomes)}\n`)
  }
  if (interrupt.signal.aborted) return INTERRUPTED
  if (options.write) await writeDown(outcomes)
  return outcomes.every(isGood) ? 0 : 1
}

async function tryOut(combination: Combination, kinds: readonly string[], over: AbortSignal): Promise<Outcome> {
  const server = await findServer(combination.redis)
  const node = await findNode(combination.node)
  say(`${server.name} with Node ${node.version} ...`)
  return runCombination({ server, node, kinds, over })
}

async function writeDown(outcomes: readonly Outcome[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10)
  await writeFile(PAGE, withSection(await readFile(PAGE, 'utf8'), 'matrix', `${date}:\n\n${toTable(outcomes)}`))
}

function fail(error: unknown): number {
  const hint = error instanceof TypeError ? '\nSee: npm run compatibility -- --help' : ''
  say(`${error instanceof Error ? error.message : String(error)}${hint}`)
  return UNUSABLE
}

process.exit(await main(process.argv.slice(2)).catch(fail))
