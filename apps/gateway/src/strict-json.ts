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
  refuseDepthAndDuplicates(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotJson('not an object')
  return value as Record<string, unknown>
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
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

/** A string, or one of the four brackets; a string followed by a colon is a key. The text is known to be JSON, so every
 * string is closed and the search never goes back. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/gs

function refuseDepthAndDuplicates(text: string): void {
  const open: Set<string>[] = []
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) refuseDuplicate(open.at(-1), token.slice(0, -colon.length))
    if (open.length > MAX_DEPTH) throw new NotJson('nested too deep')
  }
}

/** Compared as JSON reads them, so that a key cannot be repeated in another spelling (`"\u0061mount"`). */
function refuseDuplicate(keys: Set<string> | undefined, spelled: string): void {
  const key = String(parse(spelled))
  if (keys?.has(key)) throw new NotJson('a key stands twice')
  keys?.add(key)
}
