/** The body cannot be read as one JSON object that says one thing. Answered with 400; the text is never quoted. */
export class NotJson extends Error {
  override name = 'NotJson'
  readonly retry = false
}

const MAX_DEPTH = 8

/** Reads the bytes of a body as a JSON object. Stricter than `JSON.parse`, because money depends on it: wrong UTF-8 is
 * refused and not replaced, a key that stands twice is refused (which of two amounts would it be?), and so is nesting
 * deeper than any request of Twilio's. `__proto__` is a key like any other. */
export function parseStrictJson(bytes: Uint8Array): Record<string, unknown> {
  const text = decode(bytes)
  const value = parse(text)
  const { members, depth } = survey(text)
  if (depth > MAX_DEPTH) throw new NotJson('nested too deep')
  // Of a key that stands twice `JSON.parse` keeps one, however it is spelled (`"\u0061mount"`), so that some are missing.
  if (membersIn(value) !== members) throw new NotJson('a key stands twice')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotJson('not an object')
  return value as Record<string, unknown>
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new NotJson('not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new NotJson('not JSON')
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** How many members all objects of the text have, and how deep they are nested. The text is known to be JSON: every member has one
 * colon outside of strings, and every string is closed. */
function survey(text: string): { members: number; depth: number } {
  let members = 0
  let open = 0
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at)
        break
      case 0x3a: // :
        members += 1
        break
      case 0x5b: // [
      case 0x7b: // {
        open += 1
        depth = Math.max(depth, open)
        break
      case 0x5d: // ]
      case 0x7d: // }
        open -= 1
    }
  }
  return { members, depth }
}

function closingQuote(text: string, opening: number): number {
  let at = opening + 1
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

/** The members of a value and of all values in it, which are not nested deep. */
function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values = Object.values(value)
  let members = Array.isArray(value) ? 0 : values.length
  for (const each of values) members += membersIn(each)
  return members
}
