import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, ACCOUNT, type Body, post, visaCharge } from './caller.ts'
import { everythingIn } from './redis-contents.ts'
import { witness } from './simulator.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startTestStack({ workers: 1 })
})

afterAll(() => stack?.stop())

const endpoint = () => stack.gateways[0]?.endpoint ?? ''
const received = async () => Object.values((await witness(stack.simulator?.url ?? '').books()).requests)

const changed = (changes: Body): Body => ({ ...visaCharge(), ...changes })

const refused: [string, Body, string][] = [
  ['no method', changed({ method: undefined }), 'method'],
  ['an unknown method', changed({ method: 'refund' }), 'method'],
  ['no transaction_id', changed({ transaction_id: undefined }), 'transaction_id'],
  ['a transaction_id too long for PayConex', changed({ transaction_id: 'x'.repeat(51) }), 'transaction_id'],
  ['a list for a transaction_id', changed({ transaction_id: ['x'] }), 'transaction_id'],
  ['letters in the card number', changed({ cardnumber: '4111x' }), 'cardnumber'],
  ['neither card nor bank account', changed({ cardnumber: undefined }), 'cardnumber'],
  ['both card and bank account', changed({ bankaccountnumber: '1', routingnumber: '1' }), 'cardnumber'],
  ['month 13', changed({ expiry_month: '13' }), 'expiry_month'],
  ['no amount', changed({ amount: undefined }), 'amount'],
  ['an amount of nothing', changed({ amount: '0.00' }), 'amount'],
  ['a negative amount', changed({ amount: '-10' }), 'amount'],
  ['an exponent', changed({ amount: '1e3' }), 'amount'],
  ['a third decimal', changed({ amount: '10.005' }), 'amount'],
  ['other digits', changed({ amount: '١٠' }), 'amount'],
  ['too much money', changed({ amount: '1000000.00' }), 'amount'],
  ['another currency', changed({ currency_code: 'EUR' }), 'currency_code'],
  ['a list for parameters', changed({ parameters: [] as unknown as Body }), 'parameters'],
]

describe('a request with', () => {
  it.each(refused)('%s is refused, and the field is named', async (_, body, field) => {
    const answer = await post(endpoint(), body)

    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ charge_id: null, error_code: 'invalid_request' })
    const named = (line: string) => line.includes('"event":"try.invalid"') && line.includes(`"${field}"`)
    await expect.poll(() => stack.logs.some(named)).toBe(true)
  })
})

const unreadable: [string, string | Uint8Array, number][] = [
  ['nothing', '', 400],
  ['text', 'hello', 400],
  ['a form', 'method=charge&amount=10', 400],
  ['half a document', '{"method":"charge"', 400],
  ['a list', '[]', 400],
  ['a key twice', '{"amount":"1.00","amount":"2.00"}', 400],
  ['thousands of levels', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400],
  ['wrong UTF-8', Uint8Array.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]), 400],
  ['more than 64 KiB', JSON.stringify({ description: 'x'.repeat(65 * 1024) }), 413],
]

describe('a body of', () => {
  it.each(unreadable)('%s is refused', async (_, body, status) => {
    const authorization = `Basic ${Buffer.from(`${ACCOUNT}:${ACCESS_KEY}`).toString('base64')}`
    const response = await fetch(endpoint(), {
      method: 'POST',
      headers: { authorization },
      body: body as NonNullable<RequestInit['body']>,
    })

    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ charge_id: null, error_code: 'invalid_request' })
  })
})

describe('a request to', () => {
  it.each([
    ['another path', 'POST', '/api/v4/payments', 404],
    ['an unknown suffix', 'POST', '/api/v4/payments/twilio-bridge/refund', 404],
    ['the endpoint, by GET', 'GET', '/api/v4/payments/twilio-bridge', 405],
  ])('%s is refused', async (_, method, path, status) => {
    const response = await fetch(new URL(path, endpoint()), { method })

    expect(response.status).toBe(status)
    expect(Object.keys((await response.json()) as object)).toEqual(['charge_id', 'error_code', 'error_message'])
  })
})

describe('a connection', () => {
  it.each([
    ['that speaks no HTTP', 'hello\r\n\r\n'],
    ['with a wrong length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    ['with two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'with a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['with enormous headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('%s is closed', async (_, text) => {
    expect(await say(text)).toMatch(/^HTTP\/1\.1 4\d\d /)
  })
})

describe('afterwards', () => {
  it('nothing of it is on the queue or in the ledger', async () => {
    const kept = [...(await everythingIn(stack.queue.url)), ...(await everythingIn(stack.ledger.url))]

    // Its check value is random, and may have anything in it.
    const besidesTheBook = kept.filter((text) => !text.startsWith('{s0}:ledger '))
    expect(besidesTheBook.filter((text) => /:payment:|:sealed:|p_/.test(text))).toEqual([])
  })

  it('PayConex never heard of any of it, and the service still charges', async () => {
    expect(await received()).toEqual((await received()).map(() => 0))

    expect((await post(endpoint(), visaCharge())).body.error_code).toBeNull()
  })

  it('no value of a request is in any log', () => {
    expect(stack.logs.join('\n')).not.toMatch(/4111|10\.005|refund|EUR|hello/)
  })
})

/** What a raw connection hears until it is closed. */
function say(text: string): Promise<string> {
  const { hostname, port } = new URL(endpoint())
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.on('data', (data) => (heard += data))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard))
  })
}
