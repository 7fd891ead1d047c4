import { isCardNumber } from '@pay/service'
import type { Find, Finder } from './finder.ts'
import { type Spelling, spellingsOf, WORD_LENGTH } from './spellings.ts'

/** Finds given values, in every spelling (spellings.ts). They are named by their place in the list: `card number 1`, `value 2`.
 *
 * All spellings are looked for in one pass (Wu and Manber): three bytes at a time say how far the next place is at which any of
 * them could end, so most bytes are never looked at. */
export function createGiven(values: readonly string[]): Finder {
  const wanted = values.flatMap((value, nth) => spellingsOf(value).map((spelling) => wantedOf(value, nth, spelling)))
  const long = wanted.filter(({ bytes }) => bytes.length >= WORD_LENGTH)
  const short = wanted.filter(({ bytes }) => bytes.length < WORD_LENGTH)
  const findLong = long.length === 0 ? () => [] : skipping(long)
  return (bytes) => [...findLong(bytes), ...short.flatMap((one) => everyOne(bytes, one))]
}

type Wanted = { bytes: Buffer; kind: string; isMeant: (bytes: Buffer, at: number, end: number) => boolean }

const wantedOf = (value: string, nth: number, { how, bytes }: Spelling): Wanted => ({
  bytes,
  kind: `${isCardNumber(value, true) ? 'card number' : 'value'} ${nth + 1}${how}`,
  isMeant: how === '' ? meaningOf(value) : () => true,
})

/** What makes a place where the bytes stand the value itself, and not a part of something else. */
function meaningOf(value: string): Wanted['isMeant'] {
  if (value.length < WORD_LENGTH) return isWord
  return /^\d{1,12}$/.test(value) ? isWholeNumber : () => true
}

const isWholeNumber: Wanted['isMeant'] = (bytes, at, end) =>
  !/\d$/.test(before(bytes, at)) && !/^\d/.test(after(bytes, end))

/** Three or four digits are the end of every other timestamp, a process id, a port. */
const isWord: Wanted['isMeant'] = (bytes, at, end) => {
  const isNamed = /(?:cvv|cvc|verification|code)["']?\s?:\s?$/i.test(before(bytes, at))
  return (isNamed || !/[\w.:/+$-]$/.test(before(bytes, at))) && !/^(?:[\w:/+-]|\.\d)/.test(after(bytes, end))
}

const before = (bytes: Buffer, at: number) => bytes.toString('latin1', Math.max(0, at - 16), at)
const after = (bytes: Buffer, end: number) => bytes.toString('latin1', end, end + 2)

function everyOne(bytes: Buffer, wanted: Wanted): Find[] {
  const found: Find[] = []
  for (let at = bytes.indexOf(wanted.bytes); at >= 0; at = bytes.indexOf(wanted.bytes, at + 1)) {
    found.push(...findAt(bytes, at, wanted))
  }
  return found
}

function findAt(bytes: Buffer, at: number, { bytes: wanted, kind, isMeant }: Wanted): Find[] {
  const end = at + wanted.length
  const isThere = bytes.compare(wanted, 0, wanted.length, at, Math.min(end, bytes.length)) === 0
  return isThere && isMeant(bytes, at, end) ? [{ kind, at, length: wanted.length }] : []
}

const BLOCK = 3

const blockAt = (bytes: Uint8Array, at: number) =>
  (((bytes[at] as number) << 8) ^ ((bytes[at + 1] as number) << 4) ^ (bytes[at + 2] as number)) & 0xffff

function skipping(wanted: readonly Wanted[]): Finder {
  const width = Math.min(255, ...wanted.map(({ bytes }) => bytes.length))
  const skips = skipsOf(wanted, width)
  const ends = Map.groupBy(wanted, ({ bytes }) => blockAt(bytes, width - BLOCK))
  return (bytes) => {
    const found: Find[] = []
    for (let at = 0; at + width <= bytes.length; ) {
      const block = blockAt(bytes, at + width - BLOCK)
      const skip = skips[block] as number
      if (skip === 0) for (const one of ends.get(block) ?? []) found.push(...findAt(bytes, at, one))
      at += skip || 1
    }
    return found
  }
}

/** How far the window may go on when it ends with this block: as far as the block stands from the end of the nearest. */
function skipsOf(wanted: readonly Wanted[], width: number): Uint8Array {
  const skips = new Uint8Array(0x10000).fill(width - BLOCK + 1)
  for (const { bytes } of wanted) {
    for (let at = 0; at + BLOCK <= width; at += 1) {
      const block = blockAt(bytes, at)
      skips[block] = Math.min(skips[block] as number, width - BLOCK - at)
    }
  }
  return skips
}
