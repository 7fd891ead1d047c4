import { parseArgs } from 'node:util'
import { say } from './process/say.ts'
import { type Advisory, type Answer, askForAdvisories } from './supply/advisories.ts'
import { readLockFile } from './supply/lock-file.ts'

const HELP = `npm run audit

Asks npm's registry what is known against the packages of package-lock.json. What is high or critical is shown and counts, of what
runs with payments and of the tools apart. It is not part of npm test: an advisory of tomorrow must not fail a change of today.

Before it asks, it asks about a package that is known to be bad. A registry that has nothing to say about that one, such as a
mirror, is not believed.

Exit code: 0 nothing high or critical, 1 something is, 2 wrong usage, 3 nobody could say.
`

type Group = { title: string; development: boolean }
const groups: readonly Group[] = [
  { title: 'Runs with payments', development: false },
  { title: 'Tools', development: true },
]

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { help: { type: 'boolean' } } })
  if (values.help) return print(HELP, 0)
  const packages = (await readLockFile()).filter(({ ours }) => !ours)
  const answer = await askForAdvisories(packages).catch(
    (error: Error): Answer => ({
      kind: 'unanswered',
      reason: error.message,
    }),
  )
  if (answer.kind === 'unanswered') return unanswered(answer.reason)
  const sizeOf = ({ development }: Group) => packages.filter((found) => found.development === development).length
  const lines = groups.map((group) => show(group, sizeOf(group), answer.advisories))
  return print(`${lines.join('\n')}\n`, answer.advisories.some(counts) ? 1 : 0)
}

function unanswered(reason: string): number {
  say(`The registry could not say: ${reason}`)
  say('Nothing is known either way. Ask another one: npm run audit --registry=https://registry.npmjs.org/')
  return 3
}

function show({ title, development }: Group, size: number, all: readonly Advisory[]): string {
  const found = all.filter((one) => one.development === development)
  const counting = found.filter(counts)
  const lesser = found.length - counting.length
  const verdict = counting.length === 0 ? 'nothing high or critical' : `${counting.length} high or critical`
  const head = `${title} (${size} packages): ${verdict}${lesser > 0 ? `, ${lesser} lesser` : ''}`
  return [
    head,
    ...counting.map(
      ({ name, range, severity, title: what, url }) => `  ${severity} ${name} ${range}: ${what}\n    ${url}`,
    ),
  ].join('\n')
}

const counts = ({ severity }: Advisory) => severity === 'high' || severity === 'critical'

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  say(`${error.message}\nSee: npm run audit -- --help`)
  return 2
})
