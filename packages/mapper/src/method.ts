export type Method = 'charge' | 'tokenize'

const METHODS = new Map<unknown, Method>([
  ['charge', 'charge'],
  ['tokenize', 'tokenize'],
])

/** What is asked for: the body's `method`, or for clients of before 2022 the path they call. Where the two disagree, or
 * neither says anything we know, it is not clear and nothing may be done; `method` is then only good for choosing between
 * charge_id and token_id in the answer. Guessing from the amount, as some back ends do, could charge what was to be stored.
 * https://www.twilio.com/blog/now-use-any-payment-processor-with-twilio-pay */
export function readMethod(word: unknown, pathMethod: Method | undefined): { method: Method; isClear: boolean } {
  const said = METHODS.get(typeof word === 'string' ? word.toLowerCase() : word)
  const isKnown = word === undefined ? pathMethod !== undefined : said !== undefined
  const isContradiction = said !== undefined && pathMethod !== undefined && said !== pathMethod
  return { method: said ?? pathMethod ?? 'charge', isClear: isKnown && !isContradiction }
}
