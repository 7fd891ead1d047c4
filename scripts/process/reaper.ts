import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

/* Cleans up after its parent, however that ended: Ctrl-C twice, an uncaught error, SIGKILL.
 * 1. Reads lines from standard input, which the parent holds open: `+pid 123`, `-pid 123`; likewise `container`, `compose`, `folder`.
 * 2. When the input ends, the parent is gone. What was announced with + and not taken back with - is killed and removed.
 * Started by guard.ts, in a session of its own, so that a Ctrl-C in the terminal does not reach it. */

const held = new Map<string, { kind: string; name: string }>()

const disposals: Record<string, (name: string) => void> = {
  pid: (pid) => process.kill(process.platform === 'win32' ? Number(pid) : -Number(pid), 'SIGKILL'),
  container: (name) => execFileSync('docker', ['rm', '--force', '--volumes', name], { stdio: 'ignore' }),
  compose: (project) =>
    execFileSync('docker', ['compose', '--project-name', project, 'down', '--volumes', '--timeout', '0'], {
      stdio: 'ignore',
    }),
  folder: (path) => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
}

const note = (line: string) => {
  const [, sign, kind = '', name = ''] = /^([+-])(\w+) (.+)$/.exec(line) ?? []
  if (sign === '+') held.set(`${kind} ${name}`, { kind, name })
  else held.delete(`${kind} ${name}`)
}

const dispose = ({ kind, name }: { kind: string; name: string }) => {
  try {
    disposals[kind]?.(name)
  } catch {
    // It was gone already, which is all we want.
  }
}

const disposeAll = () => {
  for (const kind of Object.keys(disposals)) [...held.values()].filter((thing) => thing.kind === kind).forEach(dispose)
}

createInterface({ input: process.stdin }).on('line', note).on('close', disposeAll)
