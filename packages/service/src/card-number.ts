/** First digits and lengths that the card brands issue, as their public ranges stand. What no brand issues is no card number,
 * although one number in ten of any kind passes Luhn's check. */
const BRANDS: readonly [first: RegExp, lengths: readonly number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65|35(?:2[89]|[3-8])|62|81)/, [16, 17, 18, 19]],
  [/^(?:30[0-5]|3095|3[689])/, [14, 15, 16, 17, 18, 19]],
  [/^(?:50|5[6-8]|6304|67)/, [13, 14, 15, 16, 17, 18, 19]],
]

/** Whether the digits can be the number of a card. `everyRun`: whether it also counts when no brand issues such numbers. */
export function isCardNumber(digits: string, everyRun = false): boolean {
  if (digits.length < 13 || digits.length > 19 || !passesLuhn(digits)) return false
  return everyRun || BRANDS.some(([first, lengths]) => lengths.includes(digits.length) && first.test(digits))
}

/** The check digit of ISO/IEC 7812. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}
