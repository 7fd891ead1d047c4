import { describe, expect, it } from 'vitest'
import { createGiven } from './given.ts'

const VISA = '4111111111111111'
const KEY = 'canary0access0key0canary0access0'
const CVV = '7391'
const ROUTING = '244183602'

const find = createGiven([VISA, KEY, CVV, ROUTING])
const kindsIn = (text: string | Buffer) => find(Buffer.from(text as string)).map(({ kind }) => kind)

const number = (write: (bytes: Buffer) => void) => {
  const bytes = Buffer.alloc(8)
  write(bytes)
  return Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
}

describe('given values', () => {
  it.each([
    ['a card', `{"card":"${VISA}"}`, 'card number 1'],
    ['a card amid digits', `16${VISA}2708`, 'card number 1'],
    ['a card in groups', '4111-1111-1111-1111', 'card number 1 in groups'],
    ['a card as a whole number', number((bytes) => bytes.writeBigInt64LE(BigInt(VISA))), 'card number 1 as a number'],
    ['a card as a floating number', number((bytes) => bytes.writeDoubleLE(Number(VISA))), 'card number 1 as a number'],
    ['a key', `Key ${KEY}!`, 'value 2'],
    ['a key in UTF-16', Buffer.from(KEY, 'utf16le'), 'value 2 in UTF-16'],
    ['a key in hex', Buffer.from(KEY).toString('hex').toUpperCase(), 'value 2 in hex'],
    ['a CVV in a form', 'cvv=7391&x=1', 'value 3'],
    ['a CVV in JSON', '{"cvv":"7391"}', 'value 3'],
    ['a CVV in JSON, as a number', '{"cvv":7391}', 'value 3'],
    ['a CVV alone', '7391', 'value 3'],
    ['a routing number', `routing=${ROUTING}`, 'value 4'],
  ])('are found: %s', (_, text, kind) => {
    expect(kindsIn(text)).toEqual([kind])
  })

  it.each(['', 'x', 'xy', 'xyz'])('are found in base64 behind "%s"', (before) => {
    expect(kindsIn(Buffer.from(`${before}${KEY} and more`).toString('base64'))).toEqual(['value 2 in base64'])
  })

  it.each([
    ['the end of a time', '12:00:00.7391Z 1764034717391'],
    ['a process id', '{"pid":7391}'],
    ['a port', '127.0.0.1:7391'],
    ['a part of a longer number', `1${ROUTING}`],
  ])('are not found in %s', (_, text) => {
    expect(kindsIn(text)).toEqual([])
  })

  it('are found wherever they stand, and each time', () => {
    const text = `${VISA}${'.'.repeat(1000)}${VISA} ${KEY}${KEY}${'x'.repeat(77)}${VISA}`

    const found = find(Buffer.from(text))

    expect(found.map(({ at }) => at)).toEqual([0, 1016, 1033, 1065, 1174])
  })
})
