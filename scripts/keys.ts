import { parseArgs } from 'node:util'
import { freshKey, freshSealKey } from './keys/fresh-key.ts'
import { say } from './process/say.ts'

/* `npm run keys`: makes keys, and says which are still in use. Standard output has the answer and nothing else. Ends with 0, or
 * with 2 and a hint. */

const HELP = `npm run -s keys -- new [--id k2]   an entry for SEAL_KEYS; its id is the day's, such as k20261125, unless one is given
npm run -s keys -- ledger          a LEDGER_KEY
npm run -s keys -- used            the keys that open payments are sealed under, and how many payments
                                   (reads LEDGER_REDIS_URL, or LEDGER_REDIS_URL_FILE, SHARDS and CA_FILE)

Only the answer is printed, so that it can go to a file; -s keeps npm from adding its own lines:

  npm run -s keys -- new >> seal-keys

README.md, "Changing keys", says how to change them.
`

type Command = (options: { id?: string | undefined }) => string | Promise<string>

const COMMANDS: Readonly<Record<string, Command>> = {
  new: ({ id }) => sealKey(id),
  ledger: freshKey,
  // The one command that needs more than Node, which takes a moment to load.
  used: async () => (await (await import('./keys/used.ts')).usedKeys(process.env)).join('\n'),
}

async function main(args: readonly string[]): Promise<void> {
  const options = { id: { type: 'string' }, help: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (values.help) return void process.stdout.write(HELP)
  const [name = '', ...others] = positionals
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command || others.length > 0) throw new TypeError(`one of ${Object.keys(COMMANDS).join(', ')}, please`)
  if (values.id !== undefined && name !== 'new') throw new TypeError(`${name} takes no --id`)
  const answer = await command(values)
  if (answer) process.stdout.write(`${answer}\n`)
}

function sealKey(id: string | undefined): string {
  if (id !== undefined && !/^[\w-]{1,32}$/.test(id)) throw new TypeError('--id must be 1 to 32 letters, digits, _ or -')
  return freshSealKey(id)
}

function explain(error: unknown): void {
  say(`${error instanceof Error ? error.message : String(error)}\nSee: npm run keys -- --help`)
  process.exitCode = 2
}

await main(process.argv.slice(2)).catch(explain)
