import { describe, expect, it } from 'vitest'
import { createShapes } from './shapes.ts'

const VISA = '4111111111111111'
const AMEX = '378282246310005'
const KEY = 'canary0access0key0canary0access0'
const PAIR = `120615000001:${KEY}`
const base64 = (text: string) => Buffer.from(text).toString('base64')

const kindsIn = (text: string | Buffer, everyRun = false) =>
  createShapes({ everyRun })(Buffer.from(text as string)).map(({ kind }) => kind)

describe('the shapes of card data', () => {
  it.each([
    ['a number in JSON', `{"cardnumber":"${VISA}"}`, 'card number'],
    ['of another brand', AMEX, 'card number'],
    ['with nineteen digits', '6205500000000000004', 'card number'],
    ['on a track', `%B${VISA}^EXAMPLE/ANN^2708`, 'card number'],
    ['with spaces', '4111 1111 1111 1111', 'card number'],
    ['with dashes', '4111-1111-1111-1111', 'card number'],
    ['with spaces, behind a year and before a CVV', '2027 4111 1111 1111 1111 123', 'card number'],
    ['in the groups of American Express', '3782 822463 10005', 'card number'],
    ['in a form', `card_number=${VISA}&x=1`, 'card number'],
    ['with encoded spaces', 'card%204111%201111%201111%201111', 'card number'],
    ['behind an encoded space', `card%20${VISA}`, 'card number'],
    ['at the end of a sentence', `It was ${VISA}.`, 'card number'],
    ['in hex', Buffer.from(VISA).toString('hex'), 'card number in hex'],
    ['in base64', base64(`card ${VISA}`), 'card number in base64'],
    ['in base64, one further', base64(`card  ${VISA}`), 'card number in base64'],
    ['in base64, two further', base64(`card   ${VISA}`), 'card number in base64'],
    ['in UTF-16', Buffer.from(`x ${VISA}`, 'utf16le'), 'card number in UTF-16'],
    ['an access key in a form', `api_accesskey=${KEY}&x`, 'access key'],
    ['an access key in JSON', `{"accessKey": "${KEY}"}`, 'access key'],
    ['an access key in JSON in JSON', `{\\"accessKey\\":\\"${KEY}\\"}`, 'access key'],
    ['an access key in a command of Redis', `$13\r\napi_accesskey\r\n$32\r\n${KEY}\r\n`, 'access key'],
    ['account and key', PAIR, 'access key'],
    ['account and key for Basic', `Basic ${base64(PAIR)}`, 'access key in base64'],
  ])('are found: %s', (_, text, kind) => {
    expect(kindsIn(text)).toEqual([kind])
  })

  it.each([
    ['a wrong check digit', '4111111111111112'],
    ['a time in milliseconds that passes the check', '1764034715126 1764034715134 1764034715142'],
    ['a number of no brand', '9999999999999995'],
    ['the digits of a fraction', '0.4111111111111111 12.4111111111111111'],
    ['digits in a hash', `a${VISA}bcdef0123456789abcdef01234567`],
    ['digits in a longer number', `${VISA}00000`],
    ['a UUID of digits', '41111111-1111-4111-1111-111111111111'],
    ['a UUID with four groups like those of a card', 'abcd4111-1111-1111-1111-9316a820abcd'],
    ['the same behind a worker’s name', '-olCGst37gFR.f25d4111-1111-1111-1111-7d6cbfb61cfd'],
    ['PayConex’ ids', '059724454989 059724454990'],
    ['a key of ours', `"payment":"p_${base64(VISA.repeat(2)).slice(0, 8)}x7YbQ"`],
  ])('are not: %s', (_, text) => {
    expect(kindsIn(text)).toEqual([])
  })

  it('with every run wanted, also those of no brand', () => {
    expect(kindsIn('9999999999999995', true)).toEqual(['card number'])
  })

  it('are named by where they begin and how long they are', () => {
    expect(createShapes()(Buffer.from('at 4111 1111 1111 1111 123'))).toEqual([
      { kind: 'card number', at: 3, length: 19 },
    ])
  })
})
