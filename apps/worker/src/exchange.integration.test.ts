import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createExchange } from './exchange.ts'
import { closeWires, http, tcp, urlOf, whenClosing } from './testing-wire.ts'

/** How requests are sent. What is concluded from what becomes of them stands in `classify.integration.test.ts`. */

const FORM = 'card_number=4111111111111111&card_verification=123'

afterEach(closeWires)

function exchanger() {
  const { exchange, close } = createExchange({ connectTimeoutMs: 400 })
  whenClosing(close)
  return (url: string, timeoutMs = 2000, alone = false) => exchange({ url, form: FORM, timeoutMs, alone })
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

  it('honours no proxy variable', async () => {
    const url = await http((_request, response) => response.end('direct'))
    process.env.http_proxy = 'http://127.0.0.1:1'
    whenClosing(() => delete process.env.http_proxy)

    expect(await exchanger()(url)).toMatchObject({ kind: 'answered', text: 'direct' })
  })

  it('uses a connection again, unless it wants one for itself', async () => {
    let connections = 0
    const server = createServer((_request, response) => response.end('ok'))
    server.on('connection', () => (connections += 1))
    const url = await urlOf(server)
    const exchange = exchanger()

    for (const _ of [1, 2, 3]) await exchange(url)

    expect(connections).toBe(1)
    for (const _ of [1, 2, 3]) await exchange(url, 2000, true)
    expect(connections).toBe(4)
  })

  it('on a connection used before may be lost like any other', async () => {
    const url = await tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        socket.once('data', () => socket.resetAndDestroy())
      })
    })
    const exchange = exchanger()

    expect(await exchange(url)).toMatchObject({ kind: 'answered' })
    expect(await exchange(url)).toEqual({ kind: 'lost', reason: 'ECONNRESET' })
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
    const slow = exchange(`${url}/slow`, 8000)
    await exchange(url)
    expect([connections, open]).toEqual([2, 2])

    await sleep(4500)

    expect(open).toBe(1)
    expect(await slow).toMatchObject({ kind: 'answered' })
  }, 12_000)
})
