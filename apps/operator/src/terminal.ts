import type { ReadStream, WriteStream } from 'node:tty'
import { progressOn as progressOnStream } from '@pay/service'
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

/** Says how far a long piece of work is. Ctrl-C ends the work there. */
export function progressOn({ messages, over }: Pick<Terminal, 'messages' | 'over'>) {
  const progress = progressOnStream(messages)
  return {
    ...progress,
    at(text: string): void {
      if (over.aborted) throw new Refused('given up')
      progress.at(text)
    },
  }
}
