import { existsSync } from 'node:fs'
import { outputOf, pathOf, runTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'

type Manager = {
  tool: string
  /** Whether it asks for a password unless we are root. */
  needsRoot: boolean
  refresh?: readonly string[]
  install: readonly string[]
  packages: readonly string[]
  env?: Record<string, string>
}

const managers: readonly Manager[] = [
  {
    tool: 'apt-get',
    needsRoot: true,
    refresh: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
    packages: ['redis-server', 'valkey-server'],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  },
  { tool: 'dnf', needsRoot: true, install: ['install', '-y', '-q'], packages: ['valkey', 'redis'] },
  {
    tool: 'brew',
    needsRoot: false,
    install: ['install', '--quiet'],
    packages: ['redis', 'valkey'],
    env: { HOMEBREW_NO_AUTO_UPDATE: '1' },
  },
]

const INSTALL_LIMIT_MS = 5 * 60_000
const SERVICE_LIMIT_MS = 20_000

/** Installs Redis through the package manager that is here and asks for no password. False when there is none, or when it
 * failed (which is said, not thrown: a container engine may still help). */
export async function installRedis(): Promise<boolean> {
  const manager = await findManager()
  if (manager === undefined) return false
  const { refresh, tool, env } = manager
  if (refresh) await runTool(tool, refresh, limits(env)).catch((error: Error) => say(error.message))
  for (const name of manager.packages) if (await install(manager, name)) return true
  return false
}

async function findManager(): Promise<Manager | undefined> {
  const isRoot = process.getuid?.() === 0
  for (const manager of managers) {
    if ((isRoot || !manager.needsRoot) && (await pathOf(manager.tool)) !== undefined) return manager
  }
  return undefined
}

async function install({ tool, install: args, env }: Manager, name: string): Promise<boolean> {
  say(`no Redis on PATH: installing ${name} with ${tool}, once ...`)
  try {
    await runTool(tool, [...args, name], limits(env))
    await stopService(name)
    return true
  } catch (error) {
    say((error as Error).message)
    return false
  }
}

/** Debian's package starts a service on port 6379 where an init system runs, now and at every boot. We wanted the program,
 * and it was not there before, so nobody relies on the service. */
async function stopService(name: string): Promise<void> {
  const systemd = existsSync('/run/systemd/system')
  const [tool, ...args] = systemd ? ['systemctl', 'disable', '--now', name] : ['service', name, 'stop']
  await outputOf(tool as string, args, { limitMs: SERVICE_LIMIT_MS })
}

const limits = (env: Manager['env']) => ({ limitMs: INSTALL_LIMIT_MS, ...(env && { env }) })
