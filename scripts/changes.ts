import { addChange } from './changes/add.ts'
import { HELP, readOptions } from './changes/options.ts'
import { planRelease, release } from './changes/release.ts'
import { say } from './process/say.ts'
import { repository } from './stack/service.ts'

/* `npm run changes`: what a user can notice of this version and the next one, through changesets.
 * The connector is one product with one version, the root's; so changesets is told of the root alone (changes/release.ts). */

const UNUSABLE = 2

async function main(args: readonly string[]): Promise<string> {
  const options = readOptions(args)
  switch (options.verb) {
    case 'help':
      return HELP
    case 'add':
      return `wrote ${await addChange(repository, options)}\n`
    case 'list':
      return showPlan(await planRelease(repository))
    case 'release':
      return `${(await release(repository)).join('\n')}\n`
  }
}

function showPlan({ changesets, releases: [next] }: Awaited<ReturnType<typeof planRelease>>): string {
  if (next === undefined) return 'Nothing to release: no change was noted.\n'
  const lines = changesets.map(({ releases, summary }) => `  ${releases[0]?.type.padEnd(5)}  ${summary.split('\n')[0]}`)
  return `${next.oldVersion} -> ${next.newVersion}\n${lines.join('\n')}\n`
}

function fail(error: unknown): string {
  say(`${error instanceof Error ? error.message : String(error)}\nSee: npm run changes -- --help`)
  process.exitCode = UNUSABLE
  return ''
}

process.stdout.write(await main(process.argv.slice(2)).catch(fail))
