import type { ReadStream, WriteStream } from 'node:tty'
import { Refused } from './ending.ts'

/** Whoever typed the command: where the answer goes, where they are spoken to, and what they say. */
export type Terminal = {
  env: NodeJS.ProcessEnv
  input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>
  /** The answer, and nothing else: a program may read it. */
  output: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'rows' | 'columns'>>
  /** Progress, questions and what went wrong. */
  messages: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>
  /** Aborted by Ctrl-C. */
  over: AbortSignal
  /** Who this machine says it is. */
  user: () => string
}

export const print = ({ output }: Pick<Terminal, 'output'>, line: string): void => void output.write(`${line}\n`)

export const printJson = (terminal: Pick<Terminal, 'output'>, value: unknown): void =>
  print(terminal, JSON.stringify(value))

export const say = ({ messages }: Pick<Terminal, 'messages'>, line: string): void => void messages.write(`${line}\n`)

const EVERY_MS = 200
const EVERY_LINE_MS = 5000

/** Says how far a long piece of work is: on a terminal in one line that is written over, elsewhere a line every now and then. Ctrl-C
 * ends the work there. */
export function progressOn({ messages, over }: Pick<Terminal, 'messages' | 'over'>) {
  let saidAt = performance.now()
  let isShown = false
  return {
    at(text: string): void {
      if (over.aborted) throw new Refused('given up')
      const now = performance.now()
      if (now - saidAt < (messages.isTTY ? EVERY_MS : EVERY_LINE_MS)) return
      saidAt = now
      isShown = messages.isTTY === true
      messages.write(isShown ? `\r\x1b[K${text}` : `${text}\n`)
    },
    done(): void {
      if (isShown) messages.write('\r\x1b[K')
      isShown = false
    },
  }
}
