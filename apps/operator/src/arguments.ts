import { parseArgs } from 'node:util'
import { STATES, type State } from '@pay/ledger'
import { isCode } from '@pay/mapper'
import { Unusable } from './ending.ts'
import { checkedText } from './free-text.ts'
import { since } from './moment.ts'

export const VERBS = ['show', 'list', 'watch', 'stats', 'audit', 'ask', 'resolve', 'reverse'] as const
export type Verb = (typeof VERBS)[number]

/** One payment, as a person names it. */
export type Named = { key: string } | { account: string; transactionId: string }

/** The command line, read: what is not given is absent. */
export type Given = NonNullable<ReturnType<typeof readArguments>>

/** The payment that a verb is about; every verb that calls this was given one. */
export function namedIn({ named }: Given): Named {
  if (!named) throw new Unusable('which payment?')
  return named
}

/** Undefined where help is wanted. `Unusable` where it cannot be understood; its message never has a value in it that may be
 * somebody's card. */
export function readArguments(args: readonly string[], { now, user }: { now: number; user: () => string }) {
  const { values, positionals, tokens } = parsed(args)
  const [verb, ...names] = positionals
  if (values.help || args.length === 0) return undefined
  if (!isVerb(verb)) throw new Unusable(`the verb must be one of ${VERBS.join(', ')}`)
  refuseStrangers(verb, values)
  refuseTwice(tokens)
  return {
    verb,
    named: namedBy(verb, names),
    method: oneOf('--method', ['charge', 'tokenize'], values.method),
    states: values.state === undefined ? undefined : statesIn(values.state),
    account: values.account,
    since: values.since === undefined ? undefined : sinceIn(values.since, now),
    limit: whole('--limit', values.limit, 50),
    waitMs: whole('--wait', values.wait, 30) * 1000,
    late: values.late ?? false,
    all: values.all ?? false,
    json: values.json ?? false,
    yes: values.yes ?? false,
    as: oneOf('--as', ['approved', 'declined'], values.as),
    id: payconexId(values.id),
    code: errorCode(values.code),
    message: text('--message', values.message),
    reason: text('--reason', values.reason),
    by: text('--by', values.by) ?? user(),
  }
}

const flag = { type: 'boolean' } as const
const word = { type: 'string' } as const

const options = {
  help: flag,
  json: flag,
  yes: flag,
  late: flag,
  all: flag,
  method: word,
  state: { ...word, multiple: true },
  account: word,
  since: word,
  limit: word,
  wait: word,
  as: word,
  id: word,
  code: word,
  message: word,
  reason: word,
  by: word,
} as const

type Option = keyof typeof options

/** An option that a verb does not know is refused: `list --as approved` would look as if it had done something. */
const KNOWN: Readonly<Record<Verb, readonly Option[]>> = {
  show: ['method'],
  list: ['state', 'account', 'since', 'limit', 'late'],
  watch: [],
  stats: ['all'],
  audit: ['since', 'method'],
  ask: ['method', 'by', 'reason', 'wait', 'yes'],
  resolve: ['method', 'by', 'reason', 'yes', 'as', 'id', 'code', 'message'],
  reverse: ['method', 'by', 'reason', 'wait', 'yes'],
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, tokens: true })
  } catch (error) {
    throw new Unusable(UNKNOWN.exec((error as Error).message)?.[0] ?? 'an option is missing its value')
  }
}

/** Of an option that is given twice only the last would count, and nobody would be told. */
function refuseTwice(tokens: ReturnType<typeof parsed>['tokens']): void {
  const names = tokens.flatMap((token) => (token.kind === 'option' && token.name !== 'state' ? [token.name] : []))
  const twice = names.find((name, nth) => names.indexOf(name) < nth)
  if (twice !== undefined) throw new Unusable(`--${twice} is given twice`)
}

const UNKNOWN = /^Unknown option '--?[\w-]*'/

const isVerb = (text: string | undefined): text is Verb => VERBS.some((verb) => verb === text)

function refuseStrangers(verb: Verb, values: Readonly<Partial<Record<Option, unknown>>>): void {
  const known: readonly string[] = ['json', ...KNOWN[verb]]
  const strangers = Object.keys(values).filter((name) => !known.includes(name))
  if (strangers.length > 0) throw new Unusable(`${verb} has no --${strangers.join(', --')}`)
}

const UNNAMED: readonly Verb[] = ['list', 'watch', 'stats']

function namedBy(verb: Verb, names: readonly string[]): Named | undefined {
  const [one = '', two, ...more] = names
  const isNameless = names.length === 0 && (verb === 'audit' || UNNAMED.includes(verb))
  if (isNameless) return undefined
  if (UNNAMED.includes(verb)) throw new Unusable(`${verb} takes no names, only options`)
  if (two === undefined && KEY.test(one)) return { key: one }
  if (two === undefined || more.length > 0)
    throw new Unusable(`${verb} needs an account and a transaction_id, or a payment's key (p_...)`)
  return { account: one, transactionId: two }
}

const KEY = /^p_[\w-]{43}$/

function statesIn(texts: readonly string[]): ReadonlySet<State> {
  const names = texts.flatMap((text) => text.split(',')).map((name) => name.trim())
  const states = STATES.filter((state) => names.includes(state))
  if (states.length < new Set(names).size) throw new Unusable(`--state: of ${STATES.join(', ')}`)
  return new Set(states)
}

function sinceIn(text: string, now: number): number {
  const at = since(text, now)
  if (at === undefined) throw new Unusable('--since: a time such as 30s, 15m, 2h, 7d or 2026-11-29T08:00Z')
  return at
}

function whole(name: string, value: string | undefined, fallback: number): number {
  if (value !== undefined && !/^[1-9]\d{0,5}$/.test(value)) throw new Unusable(`${name}: a whole number from 1`)
  return value === undefined ? fallback : Number(value)
}

function oneOf<Word extends string>(name: string, words: readonly Word[], value: string | undefined): Word | undefined {
  const found = words.find((one) => one === value)
  if (value !== undefined && found === undefined) throw new Unusable(`${name}: ${words.join(' or ')}`)
  return found
}

function text(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const problem = checkedText(value)
  if (problem !== undefined) throw new Unusable(`${name} ${problem}`)
  return value
}

/** PayConex' ids have twelve digits, and a card number more. One that was copied without its zeros gets them back. */
function payconexId(value: string | undefined): string | undefined {
  if (value !== undefined && !/^\d{1,12}$/.test(value))
    throw new Unusable('--id: PayConex’ transaction_id, which has at most 12 digits')
  return value?.padStart(12, '0')
}

/** What PayConex itself could have said: never long enough to be somebody's card or account. */
function errorCode(value: string | undefined): string | undefined {
  if (value !== undefined && !isCode(value)) throw new Unusable('--code: PayConex’ error code, such as 30002')
  return value
}
