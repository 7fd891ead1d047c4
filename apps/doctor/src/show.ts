import { styleText } from 'node:util'
import { type Finding, STATES, type State } from './finding.ts'

const COLUMNS = 100
const MARK = 12
const NAME = 22
const COLOURS = { ok: 'green', 'not checked': 'gray', warning: 'yellow', wrong: 'red' } as const

export type ShowOptions = { colours: boolean }

/** For people: problems last, so that they are what is seen; one line each, and what to do below it. */
export function show(findings: readonly Finding[], { colours }: ShowOptions): string {
  const paint = (state: State, text: string) =>
    colours ? styleText(COLOURS[state], text, { validateStream: false }) : text
  const lines = STATES.flatMap((state) => findings.filter((finding) => finding.state === state)).flatMap((finding) =>
    rows(finding, paint),
  )
  return `${[...lines, '', summary(findings)].join('\n')}\n`
}

function rows({ state, name, seen, do: todo }: Finding, paint: (state: State, text: string) => string): string[] {
  const indent = ' '.repeat(MARK + NAME)
  const [first = '', ...more] = wrap(printable(seen), COLUMNS - indent.length)
  const head = `${paint(state, state.padEnd(MARK))}${name.padEnd(NAME)}`
  const remedy = todo === undefined ? [] : wrap(`do: ${printable(todo)}`, COLUMNS - MARK - 2)
  // A name that is too long for its column has its line to itself.
  const start = name.length < NAME ? [head + first] : [head, indent + first]
  return [...start, ...more.map((line) => indent + line), ...remedy.map((line) => ' '.repeat(MARK + 2) + line)]
}

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

/** What servers say could steer a terminal. */
const printable = (text: string) => text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ')

function summary(findings: readonly Finding[]): string {
  const count = (state: State) => findings.filter((finding) => finding.state === state).length
  const verdict = count('wrong') > 0 ? 'Something is wrong' : 'Nothing is wrong'
  return `${verdict}: ${STATES.map((state) => `${count(state)} ${state}`).join(', ')}.`
}
