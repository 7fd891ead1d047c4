import { parseArgs } from 'node:util'
import { say } from './process/say.ts'
import { checkLicences, exceptions, type LicenceRow } from './supply/licences.ts'
import { readLockFile } from './supply/lock-file.ts'

const HELP = `npm run licences

Shows under which licences the packages of package-lock.json are, and which of them are not on our list
(scripts/supply/licences.ts). It reads files only. The unit tests run the same check.

Exit code: 0 all are on the list, 1 some are not, 2 wrong usage.
`

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { help: { type: 'boolean' } } })
  if (values.help) return print(HELP, 0)
  const { rows, problems } = checkLicences(await readLockFile())
  const named = Object.entries(exceptions).map(([name, { licence, reason }]) => `  ${name}: ${licence}; ${reason}`)
  const end = problems.length === 0 ? 'All are on the list.' : `Not on the list:\n  ${problems.join('\n  ')}`
  return print(`${table(rows)}\n\nRead by hand:\n${named.join('\n')}\n\n${end}\n`, problems.length === 0 ? 0 : 1)
}

function table(rows: readonly LicenceRow[]): string {
  const line = (licence: string, production: number | string, development: number | string) =>
    `${licence.padEnd(20)} ${String(production).padStart(10)} ${String(development).padStart(11)}`
  return [
    line('', 'production', 'development'),
    ...rows.map((row) => line(row.licence, row.production, row.development)),
  ].join('\n')
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  say(`${error.message}\nSee: npm run licences -- --help`)
  return 2
})
