import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild } from '../process/child.ts'
import { onPort } from '../process/free-port.ts'
import { type Environment, repository } from '../stack/service.ts'

export type Server = Child & { url: string }

export type ServerOptions = {
  name: string
  /** The program, from the root of the repository. */
  file: string
  env: Environment
  /** Arguments for Node. */
  nodeArgs?: readonly string[]
  /** The variable that names the port on which it answers, and the page that answers 200 when it can serve. */
  portVariable?: string
  readyPath?: string
}

const START_LIMIT_MS = 60_000
const POLL_MS = 40

/** Starts one Node process and returns when it can serve. What it writes to standard output is dropped by the system: reading it
 * would cost us the CPU time that is to be measured elsewhere. */
export function startServer(options: ServerOptions): Promise<Server> {
  const { name, file, env, nodeArgs = [], portVariable = 'PORT', readyPath = '/' } = options
  return onPort(undefined, async (port) => {
    const child = await startChild({
      name,
      program: '/bin/sh',
      args: ['-c', 'exec "$0" "$@" > /dev/null', process.execPath, ...nodeArgs, file],
      env: { ...inherited(), NODE_ENV: 'production', ...env, [portVariable]: String(port) },
      cwd: repository,
    })
    const url = `http://127.0.0.1:${port}`
    try {
      await becomesReady(child, `${url}${readyPath}`)
      return { ...child, url }
    } catch (error) {
      await child.stop(0)
      throw error
    }
  })
}

const inherited = (): Environment => ({ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' })

async function becomesReady(child: Child, url: string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  while (!(await isReady(url))) {
    if (!child.isRunning()) throw new Error(`${child.name} ended at once:\n${child.lastLines()}`)
    if (performance.now() > deadline) throw new Error(`${child.name} is not ready:\n${child.lastLines()}`)
    await sleep(POLL_MS)
  }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(url).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false,
  )
