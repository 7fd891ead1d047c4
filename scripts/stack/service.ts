import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from '../process/child.ts'
import { NODE_ARGS } from './node-args.ts'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

export type Environment = Record<string, string>

/** Makes the sink for the lines of one process. */
export type Log = (name: string) => (line: string) => void

export type ServiceOptions = {
  name: string
  app: 'gateway' | 'worker' | 'payconex-simulator'
  env: Environment
  /** The page that answers 200 when the service can serve. */
  readyUrl: string
  onLine: (line: string) => void
  /** Where its source is; this repository by default. */
  folder?: string
  /** It runs, and is not ready yet. */
  onSpawn?: (child: Child) => void
}

const START_LIMIT_MS = 40_000
const ASK_LIMIT_MS = 2_000
const POLL_MS = 40

/** Starts one of the apps as an operator would, by its environment alone, and returns when it is ready. */
export async function startService(options: ServiceOptions): Promise<Child> {
  const { name, app, env, readyUrl, onLine, folder = repository } = options
  const args = [...NODE_ARGS, `apps/${app}/src/main.ts`]
  const environment = { ...inherited(), ...env }
  const child = await startChild({ name, program: process.execPath, args, env: environment, cwd: folder, onLine })
  options.onSpawn?.(child)
  try {
    await becomesReady(child, readyUrl)
    return child
  } catch (error) {
    await child.stop(0)
    throw error
  }
}

/** What any program needs to run on this machine; the services' own settings are not among it. */
function inherited(): Environment {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'NODE_EXTRA_CA_CERTS']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

async function becomesReady(child: Child, readyUrl: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  let said = 'no answer'
  while (Date.now() < deadline) {
    if (!child.isRunning()) throw new Error(`${child.name} ended at once:\n${child.lastLines()}`)
    const answer = await ask(readyUrl)
    if (answer.ready) return
    said = answer.said
    await sleep(POLL_MS)
  }
  throw new Error(`${child.name} is not ready after ${START_LIMIT_MS / 1_000} s (${said}):\n${child.lastLines()}`)
}

async function ask(url: string): Promise<{ ready: boolean; said: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_LIMIT_MS) })
    return { ready: response.ok, said: (await response.text()).trim() }
  } catch {
    return { ready: false, said: 'no answer' }
  }
}
