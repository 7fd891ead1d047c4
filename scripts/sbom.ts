import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { say } from './process/say.ts'
import { repository } from './stack/service.ts'
import { toBillOfMaterials } from './supply/bill-of-materials.ts'
import { readLockFile } from './supply/lock-file.ts'
import { npm } from './supply/npm.ts'

const HELP = `npm run --silent sbom -- [--output file]

Lists the npm packages that are in the image, as CycloneDX JSON: to a file, or to standard output. It reads package-lock.json,
so it needs no network and says the same on every machine, but for its serial number and time.
Node itself and the packages of the base image are not ours to list: ask a scanner of images.

Exit code: 0 written, 2 wrong usage or npm failed.
`

const LIMIT_MS = 60_000

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { help: { type: 'boolean' }, output: { type: 'string' } } })
  if (values.help) return write(HELP)
  const everything = await npm(['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: repository,
    limitMs: LIMIT_MS,
  })
  const bill = toBillOfMaterials(JSON.parse(everything), await readLockFile())
  return write(`${JSON.stringify(bill, undefined, 2)}\n`, values.output)
}

async function write(text: string, file?: string): Promise<number> {
  if (file === undefined) process.stdout.write(text)
  else await writeFile(file, text)
  return 0
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  say(`${error.message}\nSee: npm run sbom -- --help`)
  return 2
})
