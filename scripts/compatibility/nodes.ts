import { join } from 'node:path'
import { outputOf, runTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { repository } from '../stack/service.ts'

export type Runtime = { version: string; program: string }

const FETCH_LIMIT_MS = 5 * 60_000
const ANSWER_LIMIT_MS = 10_000

/** The newest Node of a major version, as the npm registry has it: the same package that this repository brings its own by. */
export async function findNode(major: number): Promise<Runtime> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(repository, '.local/compatibility', `node-${major}`)
  const program = join(folder, 'node_modules', name, 'bin/node')
  const version = await versionOf(program)
  if (version !== undefined) return { version, program }
  say(`fetching Node ${major} ...`)
  const options = ['--no-save', '--ignore-scripts', '--force', '--prefix', folder]
  await runTool('npm', ['install', ...options, `${name}@${major}`], { limitMs: FETCH_LIMIT_MS })
  const fetched = await versionOf(program)
  if (fetched === undefined) throw new Error(`${name}@${major} holds no Node that runs here`)
  return { version: fetched, program }
}

async function versionOf(program: string): Promise<string | undefined> {
  const printed = await outputOf(program, ['--version'], { limitMs: ANSWER_LIMIT_MS })
  return printed?.replace(/^v/, '')
}
