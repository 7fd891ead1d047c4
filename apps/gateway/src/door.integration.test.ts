import { connect, type Socket } from 'node:net'
import { SAFE_HEADERS } from '@pay/service'
import { afterEach, describe, expect, it } from 'vitest'
import { ENDPOINT } from './app.ts'
import { ACCESS_KEY, ACCOUNT, type AppOptions, basic, type Question, visaCharge, withApp } from './testing.ts'

const BODY = JSON.stringify(visaCharge)
const opened: Socket[] = []

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy()
})

function dial(port: number, bytes = ''): Socket & { heard: string } {
  const socket = Object.assign(connect(port, '127.0.0.1'), { heard: '' })
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    socket.heard += chunk
  })
  if (bytes) socket.write(bytes)
  opened.push(socket)
  return socket
}

describe('every answer', () => {
  const safe = Object.fromEntries(Object.entries(SAFE_HEADERS).map(([name, value]) => [name.toLowerCase(), value]))

  it.each<[string, number, Question]>([
    ['a payment', 200, { body: BODY }],
    ['a refused field', 200, { body: '{}' }],
    ['no JSON', 400, { body: 'x' }],
    ['no credentials', 401, { headers: { authorization: '' } }],
    ['another path', 404, { path: '/' }],
    ['a path that cannot be decoded', 400, { path: `${ENDPOINT}/%zz` }],
    ['another method', 405, { method: 'GET' }],
    ['too much', 413, { body: 'x'.repeat(65 * 1024) }],
    ['an expectation', 417, { headers: { expect: 'a-miracle' } }],
  ])('to %s (%i) says what a browser may do with it, and not by what program it was given', (_, status, question) =>
    withApp(async ({ ask }) => {
      const answer = await ask(question)

      expect(answer.status).toBe(status)
      expect(answer.headers).toMatchObject(safe)
      for (const name of ['x-powered-by', 'server', 'etag', 'strict-transport-security', 'set-cookie'])
        expect(answer.headers).not.toHaveProperty(name)
    }),
  )

  it('to what is no HTTP does so, too', () =>
    withApp(async ({ write }) => {
      const heard = await write('no HTTP\r\n\r\n')

      for (const [name, value] of Object.entries(SAFE_HEADERS)) expect(heard).toContain(`\r\n${name}: ${value}\r\n`)
      expect(heard).not.toMatch(/x-powered-by|server:/i)
    }))
})

describe('the address of a caller', () => {
  const addressOf = (trustProxy: AppOptions['trustProxy'], forwarded?: string) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    let address: string | undefined
    return withApp(
      async ({ ask, tries }) => {
        await ask({ body: BODY, headers })
        address = tries[0]?.address
      },
      trustProxy === undefined ? {} : { trustProxy },
    ).then(() => address)
  }

  it.each<[string, AppOptions['trustProxy'], string | undefined, string | undefined]>([
    ['is not known without TRUST_PROXY', undefined, undefined, undefined],
    ['is not what anybody claims without TRUST_PROXY', undefined, '192.0.2.1', undefined],
    ['is that of the connection where there is no proxy', 0, undefined, '127.0.0.1'],
    ['is not what anybody claims where there is no proxy', 0, '192.0.2.1', '127.0.0.1'],
    ['is what the one proxy says', 1, '192.0.2.1', '192.0.2.1'],
    ['is what the last proxy says, not what a caller made it pass on', 1, '203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['is what the first of two proxies says', 2, '203.0.113.9, 192.0.2.1, 10.0.0.1', '192.0.2.1'],
    ['is what a proxy on the list says', ['127.0.0.0/8'], '192.0.2.1', '192.0.2.1'],
    ['is what comes before all proxies of the list', ['loopback', '10.0.0.0/8'], '192.0.2.1, 10.9.9.9', '192.0.2.1'],
    ['is that of the connection when it comes from none of the list', ['10.0.0.0/8'], '192.0.2.1', '127.0.0.1'],
    ['is not known when the proxy says nonsense', 1, 'nonsense', undefined],
  ])('%s', async (_, trustProxy, forwarded, address) => {
    expect(await addressOf(trustProxy, forwarded)).toBe(address)
  })
})

describe('a network that is answered with 401 too often', () => {
  const wrong = `POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`

  it('needs a new connection for each further guess; whoever knows better keeps it', () =>
    withApp(
      async ({ ask, port }) => {
        const answers = await Promise.all([1, 2, 3].map(() => ask({ headers: { authorization: '' } })))

        expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual([
          [401, 'keep-alive'],
          [401, 'keep-alive'],
          [401, 'keep-alive'],
        ])
        const guesser = dial(port, wrong + wrong)
        await new Promise((resolve) => guesser.on('close', resolve))
        expect(guesser.heard.match(/HTTP\/1\.1 401 /g)).toHaveLength(1)
        expect(guesser.heard).toMatch(/connection: close/i)
        expect((await ask({ body: BODY })).headers.connection).toBe('keep-alive')
      },
      { badCredentials: 3 },
    ))
})

describe('connections', () => {
  const slow = { headersTimeout: 80, requestTimeout: 120, connectionsCheckingInterval: 10 }

  it.each([
    ['says nothing', ''],
    ['says the first letter', 'P'],
    ['does not end its headers', `POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n`],
    [
      'does not end its body',
      `POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(ACCOUNT, ACCESS_KEY)}\r\nContent-Length: 9\r\n\r\n{`,
    ],
  ])('of somebody who %s are closed', (_, bytes) =>
    withApp(
      async ({ port, ask, tries }) => {
        const socket = dial(port, bytes)

        await new Promise((resolve) => socket.on('close', resolve))

        expect(tries).toEqual([])
        expect((await ask({ body: BODY })).status).toBe(200)
      },
      { limits: slow },
    ),
  )

  it.each([
    ['headers', `POST ${ENDPOINT} HTTP/1.1\r\nX-A: `],
    [
      'a body',
      `POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(ACCOUNT, ACCESS_KEY)}\r\nContent-Length: 9999\r\n\r\n`,
    ],
  ])('of somebody who sends %s letter by letter are closed, however lively they are', (_, bytes) =>
    withApp(
      async ({ port, tries }) => {
        const socket = dial(port, bytes)
        const trickle = setInterval(() => socket.write('x'), 10)

        await new Promise((resolve) => socket.on('close', resolve))

        clearInterval(trickle)
        expect(tries).toEqual([])
      },
      { limits: slow },
    ),
  )

  it('that are too many are not taken, and idle ones make room for those that pay', () =>
    withApp(
      async ({ port, ask }) => {
        const get = `GET ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n\r\n`
        const idle = Array.from({ length: 5 }, () => dial(port, get))
        await expect.poll(() => idle.every(({ heard }) => heard.includes('405'))).toBe(true)

        const paying = () => ask({ body: BODY }).then(({ status }) => status)

        await expect.poll(() => paying().catch(() => 0), { timeout: 5000 }).toBe(200)
      },
      { maxConnections: 5 },
    ))

  it('of a flood that sends nothing keep nobody out for longer than the time for headers', () =>
    withApp(
      async ({ port, ask }) => {
        for (let nth = 0; nth < 200; nth += 1) dial(port)

        const paying = () => ask({ body: BODY }).then(({ status }) => status)

        await expect.poll(() => paying().catch(() => 0), { timeout: 5000 }).toBe(200)
      },
      { maxConnections: 50, limits: slow },
    ))
})
