import { isCardNumber } from './card-number.ts'

/** A text that somebody else chose (a transaction_id, a message of PayConex) as it may be shown: nothing that could be a card's number,
 * and no control or formatting characters, which a terminal would obey. */
export const shown = (text: string): string =>
  holdsCardNumber(text) ? '[not shown: looks like a card number]' : text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')

/** Whether something in a text can be the number of a card, also with little between its digits. `everyRun`: also one that no brand
 * issues. */
export const holdsCardNumber = (text: string, everyRun = false): boolean =>
  runsOf(text).some((digits) => partsOf(digits).some((part) => isCardNumber(part, everyRun)))

const SHORTEST_CARD = 13
const LONGEST_CARD = 19

/** Digits that follow each other, with two spaces, dashes or dots between them at most. */
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
