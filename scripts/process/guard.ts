import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

type Guarded = 'pid' | 'container' | 'compose' | 'folder'

let reaper: ChildProcess | undefined

/** Has a process (with its group), container, project of Compose or folder removed when this process ends in any way, SIGKILL included. Returns
 * the function that takes it back, to be called once the thing is gone. The work is done by reaper.ts. */
export function guard(kind: Guarded, name: string | number): () => void {
  tell(`+${kind} ${name}`)
  return () => tell(`-${kind} ${name}`)
}

function tell(line: string): void {
  reaper ??= startReaper()
  reaper.stdin?.write(`${line}\n`)
}

/** One per process. Neither it nor the pipe to it keeps this process alive. */
function startReaper(): ChildProcess {
  const program = fileURLToPath(new URL('./reaper.ts', import.meta.url))
  const child = spawn(process.execPath, [program], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  const pipe = child.stdin as typeof child.stdin & { unref?: () => void }
  pipe.unref?.()
  pipe.on('error', () => undefined)
  return child
}
