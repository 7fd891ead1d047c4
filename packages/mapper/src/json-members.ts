/** The members of a JSON object as they are written, also those whose name is repeated: `JSON.parse` keeps the last of them and says
 * nothing. The text must be the JSON of an object. */
export function jsonMembers(text: string): [name: string, value: string][] {
  const members: [string, string][] = []
  let current: [string, string] | undefined
  let name = ''
  let depth = 0
  for (const [token] of text.matchAll(TOKEN)) {
    if (CLOSING.has(token)) depth -= 1
    if (depth === 1 && token === ',') current = undefined
    else if (depth === 1 && token === ':') {
      current = [JSON.parse(name), '']
      members.push(current)
    } else if (current && depth > 0) current[1] += token
    else name = token
    if (OPENING.has(token)) depth += 1
  }
  return members
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g
const OPENING = new Set(['{', '['])
const CLOSING = new Set(['}', ']'])

/** How many members a JSON object is written with, also those whose name is repeated. The text must be the JSON of an object. */
export function countMembers(text: string): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at)
        break
      case ':':
        if (depth === 1) members += 1
        break
      case '{':
      case '[':
        depth += 1
        break
      case '}':
      case ']':
        depth -= 1
    }
  }
  return members
}

/** Where the string ends that begins there. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
