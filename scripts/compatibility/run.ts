import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Report, readReport } from '../test/counts.ts'
import { runCommand } from '../test/run-stage.ts'
import type { Runtime } from './nodes.ts'
import type { Server } from './servers.ts'

export type Outcome = { server: string; node: string; kinds: { kind: string; report: Report; ms: number }[] }

type Run = { server: Server; node: Runtime; kinds: readonly string[]; over: AbortSignal }

const LIMIT_MS = 20 * 60_000

/** Runs the suites, one kind after the other, with this server first on PATH and all processes on this Node. */
export async function runCombination({ server, node, kinds, over }: Run): Promise<Outcome> {
  const env = { PATH: [server.folder, process.env.PATH].join(delimiter), TEST_REDIS: 'local' }
  const outcome: Outcome = { server: server.name, node: node.version, kinds: [] }
  for (const kind of kinds) {
    if (over.aborted) break
    const start = performance.now()
    const report = await runKind(kind, { node: node.program, env, over })
    outcome.kinds.push({ kind, report, ms: performance.now() - start })
  }
  return outcome
}

type World = { node: string; env: Record<string, string>; over: AbortSignal }

async function runKind(kind: string, { node, env, over }: World): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'pay-compatibility-'))
  const file = join(folder, 'report.json')
  const command = [
    'vitest',
    'run',
    '--project',
    kind,
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ] as const
  const end = await runCommand(command, LIMIT_MS, over, { node, env })
  const report = await readReport(file, end === 'passed')
  await rm(folder, { recursive: true })
  return report
}
