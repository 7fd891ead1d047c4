/** Up to six digits before the dot and two that count after it: PayConex's maximum is 999999.99. Leading zeros and
 * zeros beyond the second decimal change nothing, so they are allowed and dropped. */
const DECIMAL = /^0*(\d{1,6})(?:\.(\d{1,2})0*)?$/

/** The canonical amount, "10.00" for "10", "10.0", 10 or "0010.000", or undefined for whatever is not exactly an amount
 * greater than zero: sign, exponent, white space, ".5", "10.", "10.005", other scripts' digits.
 *
 * Amounts stay decimal text from end to end. A JSON number has already been a float when we see it, but its shortest
 * decimal spelling is what the sender wrote, so it is read through that and never calculated with. */
export function parseAmount(value: string | number): string | undefined {
  const [, whole, decimals = ''] = DECIMAL.exec(String(value)) ?? []
  const amount = `${whole}.${decimals.padEnd(2, '0')}`
  return whole === undefined || amount === '0.00' ? undefined : amount
}
