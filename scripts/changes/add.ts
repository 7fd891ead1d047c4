import { join, relative } from 'node:path'
import { writeChangeset } from '@changesets/write'
import type { Change } from './options.ts'
import { readRoot } from './release.ts'

/** Writes a changeset and returns its file. */
export async function addChange(folder: string, { type, text }: Change): Promise<string> {
  const { name } = await readRoot(folder)
  const id = await writeChangeset({ summary: text, releases: [{ name, type }] }, folder, { format: false })
  return relative(folder, join(folder, '.changeset', `${id}.md`))
}
