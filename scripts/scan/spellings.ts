/** One way in which a value can lie in bytes. */
export type Spelling = { how: string; bytes: Buffer }

/** Shorter values are looked for as whole words and in no encoding: three digits are everywhere. */
export const WORD_LENGTH = 6

/** All ways in which a value is looked for: as it is, in UTF-16, hex, base64 (at whichever place of a longer text), percent-encoded,
 * a card number also in groups, digits also as the 8 bytes of a number, whole or floating, as Redis and V8 keep them. */
export function spellingsOf(value: string): Spelling[] {
  const plain = [spelling('', value), spelling(' in UTF-16', Buffer.from(value, 'utf16le'))]
  if (value.length < WORD_LENGTH) return plain
  const encoded = [...hex(value), ...base64(value), ...percent(value)]
  return distinct([...plain, ...encoded, ...groups(value), ...numbers(value)])
}

const spelling = (how: string, text: string | Buffer): Spelling => ({ how, bytes: Buffer.from(text as string) })

const hex = (value: string): Spelling[] => {
  const text = Buffer.from(value).toString('hex')
  return [spelling(' in hex', text), spelling(' in hex', text.toUpperCase())]
}

/** Without the characters that also depend on what stands before and behind. */
const base64 = (value: string): Spelling[] =>
  [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
    const from = Math.ceil((before * 4) / 3)
    const text = bytes.toString('base64url').slice(from, Math.floor((bytes.length * 4) / 3))
    const standard = text.replaceAll('-', '+').replaceAll('_', '/')
    return [spelling(' in base64', text), spelling(' in base64', standard)]
  })

const percent = (value: string) => [spelling(', percent-encoded', encodeURIComponent(value))]

const SEPARATORS = [' ', '-', '+', '%20']

function groups(value: string): Spelling[] {
  if (!/^\d{13,19}$/.test(value)) return []
  const parts = /^3[47]|^3[068]/.test(value) ? /^(\d{4})(\d{6})(\d+)$/ : /^(\d{4})(\d{4})(\d{4})(\d{1,4})(\d*)$/
  const split = (parts.exec(value) ?? []).slice(1).filter(Boolean)
  return SEPARATORS.map((separator) => spelling(' in groups', split.join(separator)))
}

// Four bytes alone would be found by chance in any large file.
const SMALLEST = 2n ** 32n

function numbers(value: string): Spelling[] {
  if (!/^[1-9]\d{0,18}$/.test(value)) return []
  const number = BigInt(value)
  if (number < SMALLEST || number >= 2n ** 63n) return []
  const [whole, floating] = [Buffer.alloc(8), Buffer.alloc(8)]
  whole.writeBigInt64LE(number)
  floating.writeDoubleLE(Number(number))
  return [spelling(' as a number', whole), spelling(' as a number', floating)]
}

function distinct(spellings: Spelling[]): Spelling[] {
  const seen = new Set<string>()
  return spellings.filter(({ bytes }) => {
    const text = bytes.toString('latin1')
    return !seen.has(text) && seen.add(text)
  })
}
