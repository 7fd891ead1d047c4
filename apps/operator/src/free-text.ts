import { holdsCardNumber } from '@pay/service'

const LONGEST = 500

/** What is wrong with a text that a person wrote for the audit stream; undefined where nothing is. It stays for good, so nothing that
 * could be a card's number gets there, also with spaces or dashes in it. */
export function checkedText(text: string): string | undefined {
  if (text.trim() === '') return 'must not be empty'
  if (text.length > LONGEST) return `must not have more than ${LONGEST} characters`
  if (/\p{Cc}/u.test(text)) return 'must be one line'
  if (holdsCardNumber(text, true))
    return 'has something in it that looks like a card number: leave it out, or write it in another way'
  return undefined
}
