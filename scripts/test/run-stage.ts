import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { guard } from '../process/guard.ts'
import { repository } from '../stack/service.ts'

const installed = (program: string) => fileURLToPath(new URL(`../../node_modules/${program}`, import.meta.url))

const tools = {
  biome: { file: installed('@biomejs/biome/bin/biome') },
  tsc: { file: installed('typescript/bin/tsc') },
  turbo: { file: installed('turbo/bin/turbo') },
  vitest: { file: installed('vitest/vitest.mjs') },
  model: { program: 'bash', file: fileURLToPath(new URL('../../docs/model/check', import.meta.url)) },
}

/** A tool of this repository and its arguments. */
export type Command = readonly [tool: keyof typeof tools, ...args: string[]]

export type CommandEnd = 'passed' | 'failed' | 'timed out' | 'interrupted'

const KILL_AFTER_MS = 5_000

/** Another Node than the one that runs this, and what the environment has besides. */
export type World = { node?: string; env?: Record<string, string> }

/** Runs a command on our terminal. It is ended with all its children when it takes longer than the limit, or when `signal`
 * is aborted. */
export async function runCommand(
  command: Command,
  limitMs: number,
  signal: AbortSignal,
  world: World = {},
): Promise<CommandEnd> {
  const child = start(command, world)
  const release = guard('pid', child.pid ?? 0)
  const limit = AbortSignal.timeout(limitMs)
  const stopped = AbortSignal.any([limit, signal])
  stopped.addEventListener('abort', () => endGroup(child), { once: true })
  const [code] = await once(child, 'close')
  release()
  if (stopped.aborted) return limit.aborted ? 'timed out' : 'interrupted'
  return code === 0 ? 'passed' : 'failed'
}

/** In a process group of its own, so that what a tool has started ends with it. */
function start([tool, ...args]: Command, { node = process.execPath, env: more }: World): ChildProcess {
  const { program = node, file } = { program: undefined, ...tools[tool] }
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' }
  const env = { ...process.env, ...plain, TURBO_TELEMETRY_DISABLED: '1', ...more }
  return spawn(program, [file, ...args], {
    cwd: repository,
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

/** First politely, so that a test run can stop its servers. */
function endGroup({ pid = 0 }: ChildProcess): void {
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, signal)
    } catch {
      // The group is gone.
    }
  }
  kill('SIGTERM')
  setTimeout(kill, KILL_AFTER_MS, 'SIGKILL').unref()
}
