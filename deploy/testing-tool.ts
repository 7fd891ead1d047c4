import { spawnSync } from 'node:child_process'

/** Support for this folder's tests: runs a program that not every machine has. Undefined: it is not here. */
export function runIfHere(program: string, args: readonly string[], input?: string) {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 30_000,
    ...(input !== undefined && { input }),
  })
  if (error && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  return { status, stdout, stderr }
}

export const isHere = (program: string): boolean => runIfHere(program, ['--help']) !== undefined
