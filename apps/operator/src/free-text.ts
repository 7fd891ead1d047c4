import { isCardNumber } from '@pay/service'

const LONGEST = 500
const SHORTEST_CARD = 13
const LONGEST_CARD = 19

/** What is wrong with a text that a person wrote for the audit stream; undefined where nothing is. It stays for good, so nothing that
 * could be a card's number gets there, also with spaces or dashes in it. */
export function checkedText(text: string): string | undefined {
  if (text.trim() === '') return 'must not be empty'
  if (text.length > LONGEST) return `must not have more than ${LONGEST} characters`
  if (/\p{Cc}/u.test(text)) return 'must be one line'
  if (runsOf(text).some((digits) => partsOf(digits).some((part) => isCardNumber(part, true))))
    return 'has something in it that looks like a card number: leave it out, or write it in another way'
  return undefined
}

/** A text that somebody else chose (a transaction_id, a message of PayConex) as it may be shown: a card number in it is not. */
export const shown = (text: string): string => {
  const isCard = runsOf(text).some((digits) => partsOf(digits).some((part) => isCardNumber(part)))
  return isCard ? '[not shown: looks like a card number]' : text.replace(/\p{Cc}/gu, ' ')
}

/** Digits that follow each other, with single spaces, dashes or dots between them at most. */
const runsOf = (text: string): string[] =>
  (text.match(/\d(?:[ .-]{0,2}\d)*/g) ?? [])
    .map((run) => run.replace(/\D/g, ''))
    .filter((run) => run.length >= SHORTEST_CARD)

function partsOf(digits: string): string[] {
  const parts: string[] = []
  for (let length = SHORTEST_CARD; length <= Math.min(LONGEST_CARD, digits.length); length += 1)
    for (let start = 0; start + length <= digits.length; start += 1) parts.push(digits.slice(start, start + length))
  return parts
}
