import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { guard } from './guard.ts'

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type ChildOptions = {
  name: string
  program: string
  args: readonly string[]
  /** The whole environment of the child; nothing is inherited. */
  env: Record<string, string>
  cwd?: string
  onLine?: (line: string) => void
}

export type Child = {
  name: string
  pid: number
  /** Resolves when the process has ended and all it wrote was read. */
  exited: Promise<Exit>
  isRunning: () => boolean
  /** The last lines it wrote, for an error message. */
  lastLines: () => string
  kill: (signal: NodeJS.Signals) => void
  /** Asks it to end (SIGTERM), ends it for good (SIGKILL) after `graceMs` (10 s). Safe to call twice. */
  stop: (graceMs?: number) => Promise<Exit>
}

const KEPT_LINES = 20
const GRACE_MS = 10_000

/** Starts a program in its own process group: a Ctrl-C in the terminal reaches only us, and we end the children in the
 * right order. It dies with us in any case (guard.ts). */
export async function startChild({ name, program, args, env, cwd, onLine }: ChildOptions): Promise<Child> {
  const process = spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const keep = (line: string) => {
    lines.push(line)
    if (lines.length > KEPT_LINES) lines.shift()
    onLine?.(line)
  }
  for (const stream of [process.stdout, process.stderr]) readLines(stream, keep)
  const exited = exitOf(process)
  await once(process, 'spawn')
  return childOf({ name, process, exited, lastLines: () => lines.join('\n') })
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
}

function exitOf(process: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => process.once('close', (code, signal) => resolve({ code, signal })))
}

type Started = { name: string; process: ChildProcess; exited: Promise<Exit>; lastLines: () => string }

function childOf({ name, process, exited, lastLines }: Started): Child {
  const pid = process.pid ?? 0
  const release = guard('pid', pid)
  void exited.then(release)
  const isRunning = () => process.exitCode === null && process.signalCode === null
  const kill = (signal: NodeJS.Signals) => void process.kill(signal)
  const stop = async (graceMs = GRACE_MS) => {
    if (!isRunning()) return exited
    kill('SIGTERM')
    kill('SIGCONT') // one that a test has paused must wake up to hear SIGTERM
    const late = sleep(graceMs, 'late', { ref: false })
    if ((await Promise.race([exited, late])) === 'late') kill('SIGKILL')
    return exited
  }
  return { name, pid, exited, isRunning, lastLines, kill, stop }
}
