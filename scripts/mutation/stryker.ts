import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guard } from '../process/guard.ts'
import { showTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { repository } from '../stack/service.ts'
import { type Report, scoresOf, tableOf } from './score.ts'

const tools = join(repository, 'tools', 'mutation')
const program = join(tools, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')
const report = join(repository, '.local', 'mutation', 'report.json')

export type StrykerOptions = { only: string | undefined; concurrency: number; fresh: boolean; over: AbortSignal }

/** Mutates the TypeScript, prints the score of each file, and answers whether it suffices in all. */
export async function runStryker({ only, concurrency, fresh, over }: StrykerOptions): Promise<boolean> {
  await installStryker()
  const wanted = only === undefined ? [] : ['--mutate', only]
  const args = ['run', join(tools, 'stryker.config.mjs'), '--concurrency', String(concurrency), ...wanted]
  const child = spawn(process.execPath, [program, ...args, ...(fresh ? ['--force'] : [])], {
    cwd: repository,
    stdio: 'inherit',
  })
  const release = guard('pid', child.pid ?? 0)
  over.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  const [code] = await once(child, 'close')
  release()
  if (code !== 0 && code !== 1) throw new Error('Stryker could not do it')
  console.log(tableOf(scoresOf(JSON.parse(await readFile(report, 'utf8')) as Report)))
  return code === 0
}

/** Kept apart from the rest: it weighs 61 MB and 177 packages, which nobody needs who only wants to run the tests. */
async function installStryker(): Promise<void> {
  const isThere = await access(program).then(
    () => true,
    () => false,
  )
  if (isThere) return
  say('Installing Stryker into tools/mutation')
  await showTool('npm', ['ci', '--prefix', tools])
}
