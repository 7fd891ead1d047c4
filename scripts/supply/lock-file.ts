import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const entry = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  link: z.boolean().default(false),
  dev: z.boolean().default(false),
  devOptional: z.boolean().default(false),
  optional: z.boolean().default(false),
  hasInstallScript: z.boolean().default(false),
})
const lockFile = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), entry) })
const manifest = z.object({ allowScripts: z.record(z.string(), z.boolean()).default({}) })

export type Locked = z.infer<typeof entry> & {
  /** Its folder, which names it in the lock file. */
  place: string
  name: string
  version: string
  /** Our own, not from a registry. */
  ours: boolean
  /** Never needed where payments run. */
  development: boolean
}

const root = (file: string) => new URL(`../../${file}`, import.meta.url)

/** Everything that package-lock.json names, our own workspaces among it. */
export const readLockFile = async (): Promise<Locked[]> =>
  parseLockFile(JSON.parse(await readFile(root('package-lock.json'), 'utf8')))

export function parseLockFile(json: unknown): Locked[] {
  const entries = Object.entries(lockFile.parse(json).packages).filter(([place, { link }]) => place !== '' && !link)
  return entries.map(([place, found]) => ({
    ...found,
    place,
    name: found.name ?? (place.split('node_modules/').at(-1) || place),
    version: found.version ?? '',
    ours: !place.includes('node_modules/'),
    development: found.dev || found.devOptional,
  }))
}

/** Which packages package.json lets run a script when they are installed, and which not. */
export async function readAllowedScripts(): Promise<Record<string, boolean>> {
  return manifest.parse(JSON.parse(await readFile(root('package.json'), 'utf8'))).allowScripts
}

const REGISTRY = 'https://registry.npmjs.org/'

/** What would let something else be installed than what was reviewed, or let it run code while it is. */
export function findLockProblems(packages: readonly Locked[], scripts: Record<string, boolean>): string[] {
  return packages
    .filter(({ ours }) => !ours)
    .flatMap((found) => problemsOf(found, scripts).map((problem) => `${found.place}: ${problem}`))
}

function problemsOf(
  { name, integrity, resolved, hasInstallScript }: Locked,
  scripts: Record<string, boolean>,
): string[] {
  const checks: readonly [isProblem: boolean, problem: string][] = [
    [!integrity?.startsWith('sha512-'), 'no sha512 of what was reviewed'],
    [resolved !== undefined && !resolved.startsWith(REGISTRY), 'does not come from the public registry'],
    [hasInstallScript && !(name in scripts), 'brings an install script that allowScripts does not name'],
  ]
  return checks.filter(([isProblem]) => isProblem).map(([, problem]) => problem)
}
