import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { repository } from '../stack/service.ts'
import type { Locked } from './lock-file.ts'
import { npm } from './npm.ts'

const severities = ['info', 'low', 'moderate', 'high', 'critical'] as const
const advisory = z.object({ title: z.string(), url: z.string(), range: z.string(), severity: z.enum(severities) })
const report = z.object({
  vulnerabilities: z.record(
    z.string(),
    // What is only vulnerable by what it depends on has names here instead.
    z.object({ via: z.array(z.union([advisory, z.string()])), nodes: z.array(z.string()) }),
  ),
})
const refusal = z.object({ message: z.string() })

export type Advisory = z.infer<typeof advisory> & { name: string; development: boolean }

/** What is known against the packages of the lock file, or why nobody could say. */
export type Answer = { kind: 'answered'; advisories: Advisory[] } | { kind: 'unanswered'; reason: string }

/* Two questions to the registry.
 * 1. About a package that is known to be bad. Mirrors and proxies have no advisories, and some of them answer anything with an
 *    empty page: such a silence must not pass for a clean bill.
 * 2. About everything in the lock file. */
export async function askForAdvisories(packages: readonly Locked[]): Promise<Answer> {
  const known = await askAboutKnownBad()
  if (typeof known === 'string') return { kind: 'unanswered', reason: known }
  if (known.length === 0) return { kind: 'unanswered', reason: `it knows nothing against ${BAD.name} ${BAD.version}` }
  const found = await ask(repository)
  return typeof found === 'string'
    ? { kind: 'unanswered', reason: found }
    : { kind: 'answered', advisories: found.map((one) => ({ ...one, development: isDevelopment(one, packages) })) }
}

/** One line of npm's report: an advisory and the folders of the packages that it is about. */
type Found = z.infer<typeof advisory> & { name: string; nodes: string[] }

/** https://github.com/advisories/GHSA-xvch-5gv4-984h */
const BAD = { name: 'minimist', version: '0.0.8' }

async function askAboutKnownBad(): Promise<Found[] | string> {
  const folder = await mkdtemp(join(tmpdir(), 'pay-audit-'))
  const root = { name: 'known-bad', version: '1.0.0', dependencies: { [BAD.name]: BAD.version } }
  const packages = { '': root, [`node_modules/${BAD.name}`]: { version: BAD.version } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(root))
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ ...root, lockfileVersion: 3, packages }))
  return ask(folder).finally(() => rm(folder, { recursive: true }))
}

const LIMIT_MS = 120_000
const ASK = [
  'audit',
  '--json',
  '--package-lock-only',
  '--audit-level=none',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
]

/** What was found, or the reason why nothing can be said. */
async function ask(folder: string): Promise<Found[] | string> {
  const json: unknown = JSON.parse(await npm(ASK, { cwd: folder, limitMs: LIMIT_MS }))
  const answer = report.safeParse(json)
  if (!answer.success) return refusal.safeParse(json).data?.message ?? 'npm answered with something else than a report'
  return Object.entries(answer.data.vulnerabilities).flatMap(([name, { via, nodes }]) =>
    via.filter((cause) => typeof cause !== 'string').map((cause) => ({ ...cause, name, nodes })),
  )
}

/** Only where every place of it is. */
const isDevelopment = ({ nodes }: Found, packages: readonly Locked[]) =>
  nodes.every((node) => packages.find(({ place }) => place === node)?.development ?? false)
