import { parseArgs } from 'node:util'

export const HELP = `npm run changes                            what the next version will bring
npm run changes -- add minor "text"        notes a change that users can notice, written for them, in .changeset/
npm run changes -- release                 moves what was noted into CHANGELOG.md and raises the version in package.json

patch: something works that did not. minor: something new. major: whoever updates must do something.
Exit code: 0 done, 2 wrong usage or nothing to release.
`

export type Change = { type: 'patch' | 'minor' | 'major'; text: string }
export type Options = { verb: 'help' | 'list' | 'release' } | ({ verb: 'add' } & Change)

const TYPES = ['patch', 'minor', 'major'] as const

/** The command line as an object. Throws a `TypeError` that says what is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  if (values.help) return { verb: 'help' }
  const [verb = 'list', wish, text = '', ...more] = positionals
  if (verb === 'add') return { verb, ...readChange(wish, text, more) }
  if ((verb === 'list' || verb === 'release') && wish === undefined) return { verb }
  throw new TypeError(`unknown: ${positionals.join(' ')}`)
}

function readChange(wish: string | undefined, text: string, more: readonly string[]): Change {
  const type = TYPES.find((known) => known === wish)
  if (type === undefined) throw new TypeError(`add needs one of ${TYPES.join(', ')}`)
  if (text.trim() === '' || more.length > 0) throw new TypeError('add needs one text, in quotes')
  return { type, text: text.trim() }
}
