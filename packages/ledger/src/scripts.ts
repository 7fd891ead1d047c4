import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

/** Every script of the ledger, by its name here and its file. */
const SCRIPTS = {
  admit: 'admit',
  leave: 'leave',
  withdraw: 'withdraw',
  fence: 'fence',
  repeat: 'repeat',
  finish: 'finish',
  takeOver: 'take-over',
  release: 'release',
  reverse: 'reverse',
  keep: 'keep',
  due: 'due',
  postpone: 'postpone',
  read: 'read',
  renew: 'renew',
  resolve: 'resolve',
  askNow: 'ask-now',
  takeBack: 'take-back',
  survey: 'survey',
} as const

export type ScriptName = keyof typeof SCRIPTS

export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>

const folder = new URL('./scripts/', import.meta.url)
const textOf = (file: string) => readFileSync(new URL(`${file}.lua`, folder), 'utf8')

/** The text of one script as it runs: what all share stands before it. */
export const scriptText = (name: ScriptName): string => `${textOf('common')}\n${textOf(SCRIPTS[name])}`

export const scriptNames = Object.keys(SCRIPTS) as ScriptName[]

/** Opens the book, and notes elsewhere what was seen of it: the two scripts that stand alone. */
export const openBookText = (): string => textOf('open-book')
export const noteText = (): string => textOf('note')

/** Defines each script on the connection: sent once by its text, then by its hash. `texts` gives a script another text, for a
 * test that removes a guard and wants to see it missed. */
export function defineScripts(
  redis: Redis,
  texts: Partial<Record<ScriptName, string>> = {},
): Record<ScriptName, Script> {
  const define = (name: ScriptName): [ScriptName, Script] => {
    const command = `ledger_${name}`
    redis.defineCommand(command, { lua: texts[name] ?? scriptText(name) })
    const run = (redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[command]
    if (!run) throw new Error(`the ledger's script ${name} could not be defined`)
    return [name, (keys, args) => run.call(redis, keys.length, ...keys, ...args)]
  }
  return Object.fromEntries(scriptNames.map(define)) as Record<ScriptName, Script>
}
