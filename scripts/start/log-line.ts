import { styleText } from 'node:util'

type Entry = { level: number; msg: string } & Record<string, unknown>

const WARN = 40
const ERROR = 50
/** What a person wants to see of an entry, in this order. */
const SHOWN = ['method', 'verdict', 'state', 'class', 'reason', 'field', 'setting', 'code', 'status', 'count']

/** One line of a process for a person, or `undefined` when it is not worth one. The services write JSON; a Redis and the
 * simulator have nothing to say that is not said elsewhere. */
export function toHumanLine(name: string, line: string): string | undefined {
  const entry = parseEntry(line)
  if (entry === undefined) return /^(gateway|worker)/.test(name) && line.trim() ? `${label(name)}${line}` : undefined
  // Of a transition the message is the state that was reached.
  const isNew = (field: string) => entry[field] !== undefined && entry[field] !== entry.msg
  const details = SHOWN.flatMap((field) => (isNew(field) ? [String(entry[field])] : []))
  const time = entry.ms === undefined ? [] : [`${entry.ms} ms`]
  const text = [entry.msg, ...details, ...time].join(' ')
  return `${label(name)}${coloured(entry.level, text)}`
}

const label = (name: string) => styleText('dim', name.padEnd(11))

function coloured(level: number, text: string): string {
  if (level >= ERROR) return styleText('red', text)
  return level >= WARN ? styleText('yellow', text) : text
}

function parseEntry(line: string): Entry | undefined {
  try {
    const value = JSON.parse(line)
    return typeof value?.level === 'number' && typeof value?.msg === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
