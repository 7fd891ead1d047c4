import { isCardNumber } from '@pay/service'
import type { Find, Finder } from './finder.ts'

/** Finds whatever has the shape of a card number or of PayConex' credentials, by looking at the text alone:
 *
 *  digits       13 to 19 with a valid check digit, of a brand's range; in one run, or in the groups in which cards show them, with
 *               spaces, dashes, + or %20 between; also as hex digits or in base64
 *  access key   32 letters and digits behind the field's name, or behind an account id and a colon, also in base64 (Basic)
 *  UTF-16       all of this also with a zero byte behind each character, as V8 keeps some strings
 *
 * Not taken for a card: digits inside of a longer number, behind the point of a fraction, within a long run of hex digits, or in a
 * UUID that has letters. */
export type ShapeOptions = { everyRun?: boolean }

export const createShapes =
  ({ everyRun = false }: ShapeOptions = {}): Finder =>
  (bytes) => {
    const text = bytes.toString('latin1')
    const isCard = (digits: string) => isCardNumber(digits, everyRun)
    return [...shapesIn(text, isCard), ...wideShapes(text, isCard)]
  }

type IsCard = (digits: string) => boolean

const CARD = 'card number'
const KEY = 'access key'

const shapesIn = (text: string, isCard: IsCard): Find[] => [
  ...cardsIn(text, isCard),
  ...groupedCards(text, isCard),
  ...base64In(text, isCard),
  ...keysIn(text),
]

const RUN = /(?<!\d)\d{13,}/g

const cardsIn = (text: string, isCard: IsCard): Find[] =>
  [...text.matchAll(RUN)].flatMap(({ 0: run, index }) => {
    // The first two may be those of %20 or the like.
    const skipped = text[index - 1] === '%' ? 2 : 0
    const [digits, at] = [run.slice(skipped), index + skipped]
    return [...asCard(text, digits, at, isCard), ...asHex(digits, at, isCard)]
  })

function asCard(text: string, digits: string, at: number, isCard: IsCard): Find[] {
  if (!isCard(digits) || isPartOfMore(text, at, at + digits.length)) return []
  return [{ kind: CARD, at, length: digits.length }]
}

const HASH_LENGTH = 24

/** Behind the point of a fraction, before one, or within a run of hex digits that is too long for a word beside a number. */
function isPartOfMore(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 64), start)
  const after = text.slice(end, end + 64)
  if (/\d\.$/.test(before) || /^\.\d/.test(after)) return true
  const hexBefore = /[\da-f-]*$/i.exec(before)?.[0] ?? ''
  const hexAfter = /^[\da-f-]*/i.exec(after)?.[0] ?? ''
  const around = hexBefore + hexAfter
  return /[a-f]/i.test(around) && around.length + end - start >= HASH_LENGTH
}

/** The digits 0 to 9 are 30 to 39 in hex. */
function asHex(digits: string, at: number, isCard: IsCard): Find[] {
  const isHex = digits.length <= 38 && /^(?:3\d)+$/.test(digits)
  const found = isHex && isCard(Buffer.from(digits, 'hex').toString('latin1'))
  return found ? [{ kind: `${CARD} in hex`, at, length: digits.length }] : []
}

// 4-4-4-4(-3), 4-4-4-1, 4-6-4, 4-6-5, the same separator between all. Groups before may look like the begin of one.
const GROUPED =
  /(?:(?<=%20)|(?<!\d))(?=(\d{4}([ +-]|%20)(?:\d{4}\2\d{4}\2(?:\d{4}(?:\2\d{3})?|\d)|\d{6}\2\d{4,5})(?!\d)))\d{4}/g

/** The last group may be something else, such as a CVV. */
const groupedCards = (text: string, isCard: IsCard): Find[] =>
  [...text.matchAll(GROUPED)].flatMap(({ 1: found = '', 2: separator = ' ', index }) => {
    const groups = found.split(separator)
    const isNone = separator === '-' && isInUuid(text, index)
    const cards = [groups, groups.slice(0, -1)].filter((some) => !isNone && isCard(some.join('')))
    return cards.slice(0, 1).map((card) => ({ kind: CARD, at: index, length: card.join(separator).length }))
  })

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?![\da-f])/gi

/** Four groups of a random UUID look like a card once in 25,000 times: too often where each payment has one. It has letters. */
function isInUuid(text: string, at: number): boolean {
  const start = Math.max(0, at - 24)
  return [...text.slice(start, at + 36).matchAll(UUID)].some(
    ({ 0: uuid, index }) => start + index <= at && at < start + index + uuid.length && /[a-f]/i.test(uuid),
  )
}

// Three digits in base64, the way they look at whichever of the three alignments.
const THREE = '[MNO][DTjz][AEIMQUYcgk][wxyz0-5]'
const BASE64 = new RegExp(`(?:${THREE}){3,7}`, 'g')
const BASE64_PAIR = new RegExp(`^(?:${THREE}){4}O[A-Za-z0-9+/_-]{43}(?![A-Za-z0-9+/_=-])`)

/** The groups beside belong to it, too: a card need not begin at a group's edge. */
function base64In(text: string, isCard: IsCard): Find[] {
  return [...text.matchAll(BASE64)].flatMap(({ 0: digits, index }) => {
    const pair = BASE64_PAIR.exec(text.slice(index, index + 61))
    if (pair && PAIR.test(decoded(pair[0]))) return [{ kind: `${KEY} in base64`, at: index, length: pair[0].length }]
    const start = Math.max(0, index - 4)
    const plain = decoded(text.slice(start, index)) + decoded(text.slice(index, index + digits.length + 4))
    const found = [...plain.matchAll(/(?<!\d)\d{13,19}(?!\d)/g)].some(([card]) => isCard(card))
    return found ? [{ kind: `${CARD} in base64`, at: index, length: digits.length }] : []
  })
}

const decoded = (text: string) => Buffer.from(text, 'base64').toString('latin1')

const PAIR = /:(?<=(?<!\d)\d{12}:)([0-9A-Za-z]{32})(?![0-9A-Za-z])/
const EVERY_PAIR = new RegExp(PAIR, 'dg')
// As JSON, as a form, as a command of Redis (whose lengths stand between).
const NAMED = /access_?key[^0-9A-Za-z]{1,8}(?:32\r\n)?([0-9A-Za-z]{32})(?![0-9A-Za-z])/dgi

const keysIn = (text: string): Find[] =>
  [EVERY_PAIR, NAMED].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ indices }) => {
      const [from = 0, to = 0] = indices?.[1] ?? []
      return { kind: KEY, at: from, length: to - from }
    }),
  )

const WIDE = /(?:[\x20-\x7e]\0){13,}/g

function wideShapes(text: string, isCard: IsCard): Find[] {
  if (!text.includes('\0')) return []
  return [...text.matchAll(WIDE)].flatMap(({ 0: wide, index }) =>
    shapesIn(wide.replaceAll('\0', ''), isCard).map(({ kind, at, length }) => ({
      kind: `${kind} in UTF-16`,
      at: index + 2 * at,
      length: 2 * length,
    })),
  )
}
