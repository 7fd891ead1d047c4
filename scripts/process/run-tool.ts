import { execFile, spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

type Limits = { limitMs: number; env?: Record<string, string> }

/** What a command printed, or `undefined` when it is missing, fails or takes too long. */
export async function outputOf(program: string, args: readonly string[], { limitMs, env }: Limits) {
  try {
    const { stdout } = await execute(program, [...args], { timeout: limitMs, env: { ...process.env, ...env } })
    return stdout.trim()
  } catch {
    return undefined
  }
}

/** Runs a command that must succeed; the error carries the end of what it wrote. */
export async function runTool(program: string, args: readonly string[], { limitMs, env }: Limits): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], { timeout: limitMs, env: { ...process.env, ...env } })
    return stdout.trim()
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
    const written = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n')
    throw new Error(`${program} ${args.join(' ')} failed${written && `:\n${written}`}`, { cause: error })
  }
}

/** Runs a command whose progress people should see, on standard error. */
export function showTool(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 2, 2] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} failed`))))
  })
}

/** Where the shell would find a program, or `undefined`. */
export async function pathOf(name: string): Promise<string | undefined> {
  const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  for (const file of places.map((place) => join(place, name))) {
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  return undefined
}
