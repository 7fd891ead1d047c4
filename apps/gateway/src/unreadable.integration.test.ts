import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Verdict } from '@pay/mapper'
import { afterEach, describe, expect, it } from 'vitest'
import { ENDPOINT } from './app.ts'
import type { Pay } from './pay.ts'
import { ACCESS_KEY, ACCOUNT, basic, visaCharge, withApp } from './testing.ts'
import { answerUnreadable } from './unreadable.ts'

const AUTHORIZATION = `Authorization: ${basic(ACCOUNT, ACCESS_KEY)}`
const BODY = JSON.stringify(visaCharge)
const head = (...headers: string[]) =>
  `POST ${ENDPOINT} HTTP/1.1\r\n${['Host: x', AUTHORIZATION, ...headers].join('\r\n')}\r\n\r\n`
const PAYMENT = `${head(`Content-Length: ${BODY.length}`)}${BODY}`
const GARBAGE = 'this is no HTTP\r\n\r\n'

/** One answer as it came over the wire, with exactly the announced body. */
function parse(heard: string) {
  const [headText = '', body = ''] = heard.split('\r\n\r\n')
  const [line, ...headers] = headText.split('\r\n')
  return { line, headers, body, json: JSON.parse(body) }
}

function expectRefusal(heard: string, line: string): void {
  const answer = parse(heard)
  expect(answer.line).toBe(`HTTP/1.1 ${line}`)
  expect(answer.headers).toContain('Connection: close')
  expect(answer.headers).toContain('Content-Type: application/json; charset=utf-8')
  expect(answer.headers).toContain(`Content-Length: ${answer.body.length}`)
  expect(answer.json).toEqual({
    charge_id: null,
    error_code: 'invalid_request',
    error_message: 'The request is missing or not valid.',
  })
}

describe('what cannot be read as HTTP', () => {
  it.each([
    ['no HTTP at all', GARBAGE, '400 Bad Request'],
    ['the beginning of a TLS handshake', '\x16\x03\x01\x00\xa5\x01', '400 Bad Request'],
    ['a length that is no number', head('Content-Length: x'), '400 Bad Request'],
    ['a length and chunks', `${head('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`, '400 Bad Request'],
    ['a chunk without a size', `${head('Transfer-Encoding: chunked')}zz\r\n`, '400 Bad Request'],
    [
      'a chunk that says too much of itself',
      `${head('Transfer-Encoding: chunked')}1;a=${'x'.repeat(17_000)}\r\n`,
      '413 Payload Too Large',
    ],
    ['headers that are too large', head(`X-Long: ${'x'.repeat(17_000)}`), '431 Request Header Fields Too Large'],
  ])('(%s) is refused in the shape of every answer, and the connection closed', (_, bytes, line) =>
    withApp(async ({ write, tries }) => {
      expectRefusal(await write(bytes), line)
      expect(tries).toEqual([])
    }),
  )

  it.each([
    ['its headers', 'POST / HTTP/1.1\r\nHost: x\r\n'],
    ['its body', head('Content-Length: 10')],
  ])('because it is too slow with %s is cut off in silence: it may repeat a payment that was charged', (_, bytes) =>
    withApp(
      async ({ write, tries }) => {
        expect(await write(bytes)).toBe('')
        expect(tries).toEqual([])
      },
      { limits: { headersTimeout: 40, requestTimeout: 60, connectionsCheckingInterval: 10 } },
    ),
  )

  it('after an answered payment is refused by itself', () =>
    withApp(async ({ port }) => {
      const { socket, heard } = dial(port)
      socket.write(PAYMENT)
      await expect.poll(heard).toContain('000000012345')

      socket.write(GARBAGE)

      await expect.poll(heard).toContain('invalid_request')
      expectRefusal(heard().slice(heard().lastIndexOf('HTTP/1.1')), '400 Bad Request')
    }))

  it('behind a payment under way is not answered: the refusal would be taken for the payment’s', async () => {
    let decide: (verdict: Verdict) => void = () => undefined
    const pay: Pay = () =>
      new Promise((resolve) => {
        decide = resolve
      })
    await withApp(
      async ({ port, tries }) => {
        const { socket, heard, isClosed } = dial(port)
        socket.write(PAYMENT)
        await expect.poll(() => tries.length).toBe(1)

        socket.write(GARBAGE)

        await expect.poll(isClosed).toBe(true)
        expect(heard()).toBe('')
        decide({ kind: 'approved', transactionId: '1' })
      },
      { pay },
    )
  })

  it('is not answered where nobody listens any more', () =>
    withApp(async ({ port, ask }) => {
      const { socket } = dial(port)
      socket.write('POST / HTTP/1.1\r\nHost: x\r\n')
      await sleep(30)

      socket.resetAndDestroy()
      await sleep(30)

      expect(await ask({ body: BODY })).toMatchObject({ status: 200 })
    }))
})

describe('a failed TLS handshake', () => {
  it('is not answered in HTTP, which nobody would understand, but ended', async () => {
    const answers: number[] = []
    // Without a certificate no handshake succeeds.
    const server = createHttpsServer({})
    answerUnreadable(server, { answered: (status) => answers.push(status) })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened.push(() => server.close())
    const { socket, heard, isClosed } = dial((server.address() as AddressInfo).port)

    socket.write(PAYMENT)

    await expect.poll(isClosed).toBe(true)
    expect(heard()).not.toContain('HTTP')
    expect(answers).toEqual([])
  })
})

describe('a request to go on in another protocol', () => {
  const upgrade = PAYMENT.replace('Host: x', 'Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c')

  it.each([
    ['Upgrade', upgrade],
    ['CONNECT', 'CONNECT bank.example:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('(%s) is refused, and the connection closed', (_, bytes) =>
    withApp(async ({ write, tries }) => {
      expectRefusal(await write(bytes), '400 Bad Request')
      expect(tries).toEqual([])
    }),
  )

  it('does not make the door read what stands in the body of the next one as a request', () =>
    withApp(async ({ port, tries }) => {
      const { socket, isClosed } = dial(port)
      socket.setNoDelay(true)
      socket.write(`${upgrade}${head(`Content-Length: ${PAYMENT.length}`)}`)
      await sleep(30)
      socket.write(PAYMENT)

      await expect.poll(isClosed).toBe(true)
      expect(tries).toEqual([])
    }))

  it('behind a payment under way is not answered', async () => {
    await withApp(
      async ({ port, tries }) => {
        const { socket, heard, isClosed } = dial(port)
        socket.write(PAYMENT)
        await expect.poll(() => tries.length).toBe(1)

        socket.write(upgrade)

        await expect.poll(isClosed).toBe(true)
        expect(heard()).toBe('')
      },
      { pay: () => new Promise(() => undefined) },
    )
  })
})

describe('what can be read but is no request that HTTP allows', () => {
  it.each([
    ['without a host', PAYMENT.replace('Host: x\r\n', ''), '400 Bad Request'],
    [
      'that expects what nobody knows',
      PAYMENT.replace('Host: x', 'Host: x\r\nExpect: a-miracle'),
      '417 Expectation Failed',
    ],
  ])('(one %s) is refused in the shape of every answer, too', (_, bytes, line) =>
    withApp(async ({ write, tries }) => {
      const answer = parse(await write(bytes))

      expect(answer.line).toBe(`HTTP/1.1 ${line}`)
      expect(answer.json).toMatchObject({ charge_id: null, error_code: 'invalid_request' })
      expect(tries).toEqual([])
    }),
  )

  it('without a host may be of HTTP/1.0', () =>
    withApp(async ({ write }) => {
      const heard = await write(PAYMENT.replace('Host: x\r\n', '').replace('HTTP/1.1', 'HTTP/1.0'))

      expect(heard).toContain('000000012345')
    }))
})

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function dial(port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  let heard = ''
  let isClosed = false
  socket.on('data', (chunk) => {
    heard += chunk
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
  })
  opened.push(() => socket.destroy())
  return { socket, heard: () => heard, isClosed: () => isClosed }
}
