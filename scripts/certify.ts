import { find } from './certify/find.ts'
import { conclude, type Findings, QUESTIONS } from './certify/findings.ts'
import { HELP, readCertifyOptions } from './certify/options.ts'
import { showFindings } from './certify/show.ts'
import { say } from './process/say.ts'

/* `npm run certify`: which of the promises that this service rests on does PayConex keep, for one account?
 * 1. Reads flags and environment; what cannot be used ends with 2 and a hint.
 * 2. Asks, with the worker's own client, showing each question on standard error.
 * 3. Prints what was found and which settings follow. Ends with 0 (all hold), 1 (one does not) or 2 (not found out). */

async function main(args: readonly string[]): Promise<number> {
  const options = readCertifyOptions(args, process.env)
  if (options === 'help') return print(HELP, 0)
  const findings = await find(options, (question) => say(`... ${QUESTIONS[question]}`))
  const conclusion = conclude(findings)
  const text = options.json
    ? `${JSON.stringify({ findings, ...conclusion }, undefined, 2)}\n`
    : showFindings(findings, conclusion)
  return print(text, exitCodeOf(findings))
}

function exitCodeOf(findings: Findings): number {
  const held = Object.values(findings).map(({ holds }) => holds)
  if (held.includes('no')) return 1
  return held.includes('unknown') ? 2 : 0
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

function explain(error: unknown): number {
  say(`${error instanceof Error ? error.message : String(error)}\nSee: npm run certify -- --help`)
  return 2
}

process.exitCode = await main(process.argv.slice(2)).catch(explain)
