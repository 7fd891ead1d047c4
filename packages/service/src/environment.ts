import { accessSync, constants, readFileSync } from 'node:fs'
import { z } from 'zod'

/** Raised at start-up when the environment cannot be used. Its message lists every problem by the variable's name and
 * never shows a value. There is nothing to retry: the operator must change the environment. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly retry = false

  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the environment cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** What is wrong with variables taken together, one line each, which names them. */
export type Rules<Read> = (env: Read) => readonly string[]

/** Reads the environment through a schema and reports all problems at once, also those of `rules`. A variable may also come
 * from a file: `NAME_FILE=/path` is read when `NAME` is not set; an empty variable or file counts as not set. */
export function readEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  env: Environment,
  rules: Rules<z.output<Schema>> = () => [],
): z.output<Schema> {
  const problems: string[] = []
  const values: Record<string, string> = {}
  for (const name of Object.keys(schema.shape)) {
    const value = readVariable(name, env, problems)
    if (value !== undefined) values[name] = value
  }
  const parsed = schema.safeParse(values)
  const issues = parsed.error?.issues ?? []
  problems.push(...issues.map(describe))
  const wrong = new Set(issues.map(({ path: [name] }) => String(name)))
  const readable = parsed.success ? parsed : schema.safeParse(without(wrong, values))
  if (readable.success) problems.push(...rules(readable.data).filter((line) => !names(line, wrong)))
  if (problems.length > 0 || !parsed.success) throw new ConfigurationError([...new Set(problems)])
  return parsed.data
}

/** The rules look at the environment in which every wrong variable has its default; a required one has none, and then there
 * is nothing to look at yet. */
const without = (wrong: ReadonlySet<string>, values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !wrong.has(name)))

/** A line about a variable that is wrong by itself says nothing: the value it speaks of is not the operator's. */
const names = (line: string, wrong: ReadonlySet<string>) => line.split(/\W+/).some((word) => wrong.has(word))

function readVariable(name: string, env: Environment, problems: string[]): string | undefined {
  // A file that is not read, because the variable itself is set, is not named either.
  if (name.endsWith('_FILE') && env[name.slice(0, -'_FILE'.length)]) return undefined
  const value = env[name]
  const file = env[`${name}_FILE`]
  if (value) return value
  if (!file) return undefined
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch {
    problems.push(`${name}_FILE: the file cannot be read`)
    return undefined
  }
}

/** zod says what was expected; a missing variable gets a plainer sentence. Messages of zod can quote what they received,
 * so only our own (custom) ones and the kind of the issue are passed on. */
function describe(issue: z.core.$ZodIssue): string {
  const name = issue.path.join('.')
  if (issue.code === 'invalid_type') return `${name}: is required`
  if (issue.code === 'invalid_value') return `${name}: must be one of ${issue.values.join(', ')}`
  if (issue.code === 'custom') return name === '' ? issue.message : `${name}: ${issue.message}`
  return `${name}: is not valid (${issue.code})`
}

/** A whole number within bounds, written as digits. */
export const wholeNumber = (fallback: number, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) =>
  z
    .string()
    .default(String(fallback))
    .refine((text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max, {
      message: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number)

/** `true` or `false`; anything else is refused, so that a misspelt `yes` does not silently mean no. */
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')

/** The path of a file that is there, so that a wrong one is named at the start and not when it is needed. */
export const readableFile = z.string().refine(isReadable, { message: 'the file cannot be read', abort: true })

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Comma-separated names, spaces around them ignored; empty by default. */
export const list = (fallback = '') =>
  z
    .string()
    .default(fallback)
    .transform((text) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    )
