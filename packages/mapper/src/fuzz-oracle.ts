/** What an answer may at most be taken for, judged from its text by other means than those that are tested: no schema, and every place
 * where a name is written counts, however it is spelled. Test support only. */

export type Judged = ReturnType<typeof judge>

export function judge(status: number, text: string) {
  const said = read(text.replaceAll(/\\u00([4-7][0-9a-f])/gi, spelledOut))
  const all = (name: string, holds: (word: string) => boolean) => said(name).every(holds)
  const none = (name: string, holds: (word: string) => boolean) => !said(name).some(holds)
  const some = (name: string) => said(name).some((word) => !isUnset(word))
  const isFine = status >= 200 && status < 300
  const isUnharmed = none('error', isYes) && all('error_code', isZeroOrUnset)
  const isRefusal =
    some('error') && all('error', isYes) && none('transaction_approved', isYes) && none('error_code', isZero)
  const amount = some('transaction_amount') ? 'transaction_amount' : 'request_amount'

  return {
    isFine,
    isUnharmed,
    isRefusal: isRefusal && (isFine || (REFUSING.includes(status) && SAYING_WHY.some(some))),
    isApproval: isFine && isUnharmed && some('transaction_approved') && all('transaction_approved', isYes),
    isStored: isFine && some('error') && all('error', isNo) && isUnharmed && none('transaction_approved', isNo),
    isFound: isFine && some('found') && all('found', isYes),
    isNotFound: isFine && some('found') && all('found', isNo) && isUnharmed && none('transaction_approved', isYes),
    hasCode: some('error_code') && none('error_code', isZero),
    isAlreadyReversed: some('error_code') && all('error_code', (code) => Number(code) === 20687),
    hasId: some('transaction_id'),
    isUnder: (id: string) => some('transaction_id') && all('transaction_id', (word) => Number(word) === Number(id)),
    isUnderNoOther: (id: string) => all('transaction_id', (word) => isZeroOrUnset(word) || Number(word) === Number(id)),
    /** In cents, so that no spelling of ours is repeated here. */
    isOf: (cents: number) => some(amount) && all(amount, (word) => Math.round(Number(word) * 100) === cents),
  }
}

/** An escaped letter; what else is escaped stays so, to be JSON still. */
function spelledOut(escaped: string, code: string): string {
  const letter = String.fromCharCode(Number.parseInt(code, 16))
  return /\w/.test(letter) ? letter : escaped
}

const REFUSING = [400, 401, 403, 404, 405, 413, 415, 422]
const SAYING_WHY = ['error_code', 'error_message', 'error_msg', 'authorization_message']

const isYes = (word: string) => /^(true|1(\.0)?|y|yes)$/i.test(word)
const isNo = (word: string) => /^(false|-?0(\.0)?|n|no)$/i.test(word)
const isUnset = (word: string) => word === '' || word === 'null' || word === '{}'
const isZero = (word: string) => /^-?0+(\.0+)?$/.test(word)
const isZeroOrUnset = (word: string) => isZero(word) || isUnset(word)

/** All that is written under a name, whatever its case, or nothing where the text is no answer at all. */
function read(text: string): (name: string) => string[] {
  const bare = text.trim()
  if (bare.startsWith('{')) return isObject(bare) ? (name) => inJson(bare, name) : () => []
  if (/[<>]/.test(bare)) return () => []
  const pairs = bare.split('&').map((pair) => pair.split('=').map((part) => decoded(part.replaceAll('+', ' ')).trim()))
  return (name) => pairs.filter(([key = '']) => key.toLowerCase() === name).map(([, value = '']) => value)
}

function inJson(text: string, name: string): string[] {
  const written = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*"|\\{\\}|[^,}\\s]+)`, 'gi')
  const own = Object.keys(JSON.parse(text)).some((key) => key.toLowerCase() === name)
  return own ? [...text.matchAll(written)].map(([, value = '']) => value.replace(/^"|"$/g, '').trim()) : []
}

function isObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether a text would give away three digits in a row, whatever script they are in and whatever stands between them. */
export const hasNumber = (text: string) =>
  /\d{3}/.test(
    text
      .normalize('NFKC')
      .replaceAll(/\p{Nd}/gu, asDigit)
      .replaceAll(/[^\p{L}\d]/gu, ''),
  )

const asDigit = (digit: string) => (/[0-9]/.test(digit) ? digit : String((digit.codePointAt(0) as number) & 0xf))
