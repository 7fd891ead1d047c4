import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { createExchange } from './exchange.ts'

const FORM = 'card_number=4111111111111111&card_verification=123'
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function urlOf(server: Server, protocol = 'http'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  opened.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}/api`
}

const http = (listener: RequestListener): Promise<string> => urlOf(createServer(listener))

/** A server that speaks no HTTP: `behave` gets each connection. */
const tcp = (behave: (socket: Socket) => void): Promise<string> =>
  urlOf(
    createTcpServer((socket) => {
      socket.on('error', () => undefined)
      behave(socket)
    }),
  )

function exchanger(options = {}) {
  const { exchange, close } = createExchange({ connectTimeoutMs: 400, ...options })
  opened.push(close)
  return (url: string, timeoutMs = 2000) => exchange({ url, form: FORM, timeoutMs })
}

describe('an exchange', () => {
  it('posts the form and gives status and text, whatever the status', async () => {
    const heard: string[] = []
    const url = await http((request, response) => {
      heard.push(`${request.method} ${request.headers['content-type']}`)
      request.on('data', (chunk) => heard.push(String(chunk)))
      request.on('end', () => response.writeHead(503).end('sorry'))
    })

    expect(await exchanger()(url)).toEqual({ kind: 'answered', status: 503, text: 'sorry' })
    expect(heard).toEqual(['POST application/x-www-form-urlencoded', FORM])
  })

  it('does not follow a redirect with the card', async () => {
    const url = await http((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end())

    expect(await exchanger()(url)).toMatchObject({ kind: 'answered', status: 307 })
  })

  it('honours no proxy variable', async () => {
    const url = await http((_request, response) => response.end('direct'))
    process.env.http_proxy = 'http://127.0.0.1:1'
    opened.push(() => delete process.env.http_proxy)

    expect(await exchanger()(url)).toMatchObject({ kind: 'answered', text: 'direct' })
  })

  it('uses a connection again', async () => {
    let connections = 0
    const server = createServer((_request, response) => response.end('ok'))
    server.on('connection', () => (connections += 1))
    const url = await urlOf(server)
    const exchange = exchanger()

    for (const _ of [1, 2, 3]) await exchange(url)

    expect(connections).toBe(1)
  })
})

it('trusts the authority it was given, and the public ones', async () => {
  const trusted = await certificate()
  const url = await tlsServer(trusted, (_request, response) => response.end('ok'))

  expect(await exchanger({ ca: trusted.cert })(url)).toMatchObject({ kind: 'answered', text: 'ok' })
})

describe('nothing was sent when', () => {
  it.each([
    ['nobody listens', 'http://127.0.0.1:1/'],
    ['the host is unknown', 'http://payconex.invalid/'],
  ])('%s', async (_, url) => {
    expect(await exchanger({ connectTimeoutMs: 1900 })(url)).toMatchObject({ kind: 'unsent' })
  })

  it('the certificate is not trusted', async () => {
    const url = await tlsServer(await certificate(), (_request, response) => response.end('ok'))

    expect(await exchanger()(url)).toMatchObject({ kind: 'unsent', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  it('the TLS handshake never ends', async () => {
    const url = (await tcp(() => undefined)).replace('http:', 'https:')

    expect(await exchanger()(url)).toEqual({ kind: 'unsent', reason: 'connect timeout' })
  })

  it('the connection is reset during the TLS handshake', async () => {
    const url = (await tcp((socket) => socket.resetAndDestroy())).replace('http:', 'https:')

    expect(await exchanger()(url)).toMatchObject({ kind: 'unsent' })
  })
})

describe('the request may have arrived when', () => {
  it('a fresh connection is reset after it was written', async () => {
    const url = await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()))

    expect(await exchanger()(url)).toEqual({ kind: 'lost', reason: 'ECONNRESET' })
  })

  it('a fresh connection is closed after it was written, without a word', async () => {
    const url = await tcp((socket) => socket.once('data', () => socket.end()))

    expect(await exchanger()(url)).toMatchObject({ kind: 'lost' })
  })

  it('a connection that was used before is reset', async () => {
    let requests = 0
    const url = await http((request, response) => {
      requests += 1
      if (requests === 1) return response.end('ok')
      return request.socket.resetAndDestroy()
    })
    const exchange = exchanger()
    await exchange(url)

    expect(await exchange(url)).toEqual({ kind: 'lost', reason: 'ECONNRESET' })
    expect(requests).toBe(2)
  })

  it('a TLS connection is closed after the handshake', async () => {
    const trusted = await certificate()
    const url = await tlsServer(trusted, (request) => request.socket.destroy())

    expect(await exchanger({ ca: trusted.cert })(url)).toMatchObject({ kind: 'lost' })
  })

  it('no answer comes in time', async () => {
    const url = await http(() => undefined)

    expect(await exchanger()(url, 300)).toEqual({ kind: 'lost', reason: 'timeout' })
  })

  it('the answer breaks off', async () => {
    const url = await http((request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"transaction_id":')
      setTimeout(() => request.socket.destroy(), 50)
    })

    expect(await exchanger()(url)).toMatchObject({ kind: 'lost' })
  })

  it('the answer is larger than any answer can be', async () => {
    const url = await http((_request, response) => response.end('x'.repeat(2 * 1024 * 1024)))

    expect(await exchanger()(url)).toMatchObject({ kind: 'lost' })
  })
})

describe('a reason', () => {
  it('never holds what was sent', async () => {
    const reset = await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()))

    const answers = [await exchanger()(reset), await exchanger()('http://127.0.0.1:1/')]

    expect(JSON.stringify(answers)).not.toMatch(/4111|card/)
  })
})

describe('an idle connection', () => {
  it('is closed by us after four seconds, and a busy one is not', async () => {
    let connections = 0
    let open = 0
    const server = createServer((request, response) => {
      const slow = request.url === '/slow'
      setTimeout(() => response.end('ok'), slow ? 5000 : 0)
    })
    server.keepAliveTimeout = 60_000
    server.on('connection', (socket) => {
      connections += 1
      open += 1
      socket.on('close', () => (open -= 1))
    })
    const url = await urlOf(server)
    const exchange = exchanger()
    const slow = exchange(url.replace('/api', '/slow'), 8000)
    await exchange(url)
    expect([connections, open]).toEqual([2, 2])

    await sleep(4500)

    expect(open).toBe(1)
    expect(await slow).toMatchObject({ kind: 'answered' })
  }, 12_000)
})

const certificate = () =>
  generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })

type Certificate = { cert: string; private: string }

const tlsServer = ({ cert, private: key }: Certificate, listener: RequestListener): Promise<string> =>
  urlOf(createTlsServer({ cert, key }, listener), 'https')
