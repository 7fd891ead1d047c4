import type { Body } from './play-twilio.ts'

const LAST = 4

/** A request as it may be shown: card and account number to their last four digits, no security code. */
export function masked({ cvv: _cvv, ...body }: Body): Body {
  const numbers = ['cardnumber', 'bankaccountnumber'].filter((name) => typeof body[name] === 'string')
  return { ...body, ...Object.fromEntries(numbers.map((name) => [name, maskNumber(String(body[name]))])) }
}

const maskNumber = (digits: string) => digits.slice(-LAST).padStart(digits.length, '*')
