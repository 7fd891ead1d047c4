import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import applyReleasePlan from '@changesets/apply-release-plan'
import { assembleReleasePlan } from '@changesets/assemble-release-plan'
import { defaultConfig } from '@changesets/config'
import { readChangesets } from '@changesets/read'

/** What a package.json has of use here. */
export type Root = { name: string; version: string }

/** The parts of the repository have no versions of their own, so changesets may not look for them. */
const config = {
  ...defaultConfig,
  changelog: [fileURLToPath(new URL('line.ts', import.meta.url)), null] as const,
  commit: false as const,
  format: false as const,
  privatePackages: { version: true, tag: false },
}

export async function readRoot(folder: string): Promise<Root> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}

/** Which version comes next, and what it brings. Throws where a changeset names something else than this product. */
export async function planRelease(folder: string) {
  const packages = await onlyRoot(folder)
  return assembleReleasePlan(await readChangesets(folder), packages, config, undefined)
}

/** Raises the version, writes CHANGELOG.md, removes the changesets it holds now; returns the files it touched. */
export async function release(folder: string): Promise<string[]> {
  const plan = await planRelease(folder)
  if (plan.releases.length === 0) throw new Error('nothing to release: no change was noted')
  const touched = await applyReleasePlan(plan, await onlyRoot(folder), config, undefined, folder)
  return touched.map((file) => relative(folder, file))
}

async function onlyRoot(folder: string) {
  const root = { dir: folder, relativeDir: '.', packageJson: await readRoot(folder) }
  return { tool: { type: 'root' }, rootDir: folder, rootPackage: root, packages: [root] }
}
