import { ForeignReport } from './report-row.ts'

/** Raised when a text begins as something else than a list: PayConex says why it gives no report, or a firewall does. */
export class NotAList extends Error {
  override name = 'NotAList'
  readonly retry = false
  readonly text: string

  constructor(text: string) {
    super('the answer is no list of rows')
    this.text = text
  }
}

// A row may hold two texts of 65,000 characters.
const LONGEST_ROW = 1024 * 1024
const LONGEST_OTHER = 64 * 1024

/** The objects of a JSON list, as texts, in portions as they come: a report of a big day would be more than fits in memory twice.
 * Throws `NotAList`, or `ForeignReport` for what is no list of objects, and for one that has no end: half a report must never look
 * like a whole one. */
export async function* jsonRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decode = createDecoder()
  const cut = createCutter()
  let head = ''
  for await (const chunk of chunks) {
    const text = decode(chunk)
    if (!cut.isList()) head += text
    if (head.length > LONGEST_OTHER) throw new NotAList(head)
    if (!cut.isList() && !isListAtLast(head)) continue
    yield cut.isList() ? cut(text) : cut(head)
  }
  if (!cut.isList()) throw new NotAList(head)
  if (!cut.isOver()) throw new ForeignReport('the report was cut off')
}

const isListAtLast = (head: string) => /^\s*\[/.test(head)

function createDecoder(): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (chunk) => {
    try {
      return decoder.decode(chunk, { stream: true })
    } catch {
      throw new ForeignReport('the report is not in UTF-8')
    }
  }
}

/** Where we are: before the list, where a row or the end may come, within a row, behind one, after the list. */
type Place = 'start' | 'first' | 'next' | 'row' | 'behind' | 'over'

const QUOTE = 34
const BACKSLASH = 92
const [BRACE, BRACKET, END_BRACE, END_BRACKET] = [123, 91, 125, 93]
const STEPS: Readonly<Partial<Record<Place, Readonly<Record<string, Place>>>>> = {
  start: { '[': 'first' },
  first: { '{': 'row', ']': 'over' },
  next: { '{': 'row' },
  behind: { ',': 'next', ']': 'over' },
}

/** Cuts a list into its objects without reading them: only strings and brackets count. */
function createCutter() {
  let place: Place = 'start'
  let depth = 0
  let isQuoted = false
  let isEscaped = false
  let row = ''

  function cut(text: string): string[] {
    const rows: string[] = []
    let from = 0
    for (let at = 0; at < text.length; at += 1) {
      if (place === 'row') {
        if (!endsRow(text, at)) continue
        rows.push(row + text.slice(from, at + 1))
        row = ''
        place = 'behind'
      } else if (!isBlank(text.charCodeAt(at))) {
        place = stepped(text.charAt(at))
        from = at
        depth = 1
      }
    }
    if (place === 'row') row += text.slice(from)
    if (row.length > LONGEST_ROW) throw new ForeignReport('the report has a row that is too long')
    return rows
  }

  function endsRow(text: string, at: number): boolean {
    const code = text.charCodeAt(at)
    if (isEscaped) isEscaped = false
    else if (code === BACKSLASH) isEscaped = isQuoted
    else if (code === QUOTE) isQuoted = !isQuoted
    else if (isQuoted) return false
    else if (code === BRACE || code === BRACKET) depth += 1
    else if (code === END_BRACE || code === END_BRACKET) depth -= 1
    return depth === 0
  }

  function stepped(character: string): Place {
    const next = STEPS[place]?.[character]
    if (next === undefined) throw new ForeignReport('the report is no list of rows')
    return next
  }

  return Object.assign(cut, { isList: () => place !== 'start', isOver: () => place === 'over' })
}

const isBlank = (code: number) => code === 32 || code === 10 || code === 13 || code === 9
