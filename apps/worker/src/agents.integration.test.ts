import { createServer } from 'node:http'
import tlsModule, { type TlsOptions } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../../../scripts/process/child.ts'
import { createExchange, type ExchangeOptions } from './exchange.ts'
import {
  type Authority,
  type Behaviour,
  closeWires,
  connectProxy,
  createAuthority,
  heardText,
  http,
  selfSigned,
  tcp,
  tls,
  urlOf,
  whenClosing,
} from './testing-wire.ts'

/** Whom a request is sent to, and by which way. What a refusal means for the payment stands in `classify.integration.test.ts`. */

const CARD = '4111111111111111'
const FORM = `card_number=${CARD}&card_verification=123`
const PASSWORD = 'pr0xy-pass'

let authority: Authority
let other: Authority

beforeAll(async () => {
  authority = await createAuthority()
  other = await createAuthority('Another authority')
})

afterEach(closeWires)

function exchanger(options: Partial<ExchangeOptions> = {}) {
  const { exchange, close } = createExchange({ connectTimeoutMs: 3000, ca: authority.cert, ...options })
  whenClosing(close)
  return (url: string, timeoutMs = 8000) => exchange({ url, form: FORM, timeoutMs })
}

const approving: Behaviour = (socket) => {
  socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'))
}

const behind = (issued: TlsOptions) => tls(issued, approving)

const YES = { kind: 'answered', status: 200, text: 'yes' }

/** For the time of a test. */
function setEnvironment(name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  whenClosing(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

describe('a server that shows', () => {
  it.each<[string, () => Promise<TlsOptions>, string]>([
    ['a certificate that vouches for itself', () => selfSigned(), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['one of an authority that nobody named', () => other.issue(), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another host’s', () => authority.issue({ ip: '127.0.0.9' }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an expired one', () => authority.issue({ from: '2026-01-01', until: '2026-01-02' }), 'CERT_HAS_EXPIRED'],
  ])('%s gets nothing, also where the environment says that it need not be checked', async (_, issue, reason) => {
    setEnvironment('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const url = await behind(await issue())

    expect(await exchanger()(url)).toEqual({ kind: 'unsent', reason, retry: false })
    expect(heardText()).toBe('')
  })

  it('nothing newer than TLS 1.1 gets nothing, also where the process would take it', async () => {
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tlsModule
    Object.assign(tlsModule, { DEFAULT_MIN_VERSION: 'TLSv1', DEFAULT_CIPHERS: 'DEFAULT@SECLEVEL=0' })
    whenClosing(() => Object.assign(tlsModule, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS }))
    const old: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    const url = await behind({ ...(await authority.issue()), ...old })

    expect(await exchanger()(url)).toMatchObject({ kind: 'unsent', reason: expect.stringMatching(/SSL|EPROTO/) })
    expect(heardText()).toBe('')
  })

  it('one of any authority in the bundle gets the request', async () => {
    const ca = `${other.cert}\n# the second one\n${authority.cert}`

    for (const issuer of [authority, other])
      expect(await exchanger({ ca })(await behind(await issuer.issue()))).toEqual(YES)
  })

  it('one of our authority gets nothing where no bundle was named', async () => {
    const url = await behind(await authority.issue())

    expect(await exchanger({ ca: undefined })(url)).toMatchObject({ kind: 'unsent', retry: false })
  })
})

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i is an answer, and nothing is sent where it points', async (status) => {
    let visits = 0
    const elsewhere = await http((_request, response) => {
      visits += 1
      response.end('thank you')
    })
    const url = await http((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { location: elsewhere }).end('moved'))
    })

    expect(await exchanger()(url)).toEqual({ kind: 'answered', status, text: 'moved' })
    expect(visits).toBe(0)
  })
})

describe('a proxy that only the environment names', () => {
  /** A process of its own, because Node reads these when it starts. */
  async function exchangeInProcess(url: string, env: Record<string, string>): Promise<string[]> {
    const lines: string[] = []
    const program = `
      const { createExchange } = await import(process.argv[1])
      const { exchange, close } = createExchange({ connectTimeoutMs: 3000 })
      console.log(JSON.stringify(await exchange({ url: process.argv[2], form: 'a=b', timeoutMs: 8000 })))
      close()
    `
    const file = new URL('exchange.ts', import.meta.url).href
    const child: Child = await startChild({
      name: 'an exchange',
      program: process.execPath,
      args: ['--input-type=module', '-e', program, file, url],
      env,
      onLine: (line) => void lines.push(line),
    })
    whenClosing(() => child.stop(0))
    await child.exited
    return lines
  }

  it('sees no connection', async () => {
    const proxy = await connectProxy()
    const url = await http((request, response) => void request.resume().on('end', () => response.end('yes')))
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']
    const env = Object.fromEntries(names.map((name) => [name, proxy.url]))

    const lines = await exchangeInProcess(url, { ...env, NODE_USE_ENV_PROXY: '1', NODE_NO_WARNINGS: '1' })

    expect(lines).toEqual([JSON.stringify(YES)])
    expect(proxy.heads).toEqual([])
  })
})

describe('through a proxy of ours', () => {
  const named = ({ url }: { url: string }) => url.replace('//', `//user:${PASSWORD}@`)
  const issued = async () => behind(await authority.issue())

  it('requests go in one tunnel, which sees neither card nor key', async () => {
    const proxy = await connectProxy()
    const url = await issued()
    const exchange = exchanger({ proxyUrl: named(proxy) })

    expect(await exchange(url)).toEqual(YES)
    expect(await exchange(url)).toEqual(YES)

    expect(proxy.heads).toHaveLength(1)
    expect(proxy.heads[0]).toContain(`Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`)
    expect(proxy.heads[0]).not.toContain(CARD)
  })

  it.each<[string, string]>([
    ['refuses', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'],
    ['wants another password', 'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'],
    ['cannot reach PayConex', 'HTTP/1.1 502 Bad Gateway\r\n\r\n{"error":true,"error_code":20019}'],
  ])('that %s, provably nothing was sent, and no connection stays', async (_, answer) => {
    const proxy = await connectProxy(answer)

    const exchanged = await exchanger({ proxyUrl: named(proxy) })(await issued())

    expect(exchanged).toEqual({ kind: 'unsent', reason: 'ERR_PROXY_TUNNEL', retry: true })
    await expect.poll(proxy.open).toBe(0)
  })

  it.each([
    ['says nothing', ''],
    ['agrees, and then says nothing', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('that %s, provably nothing was sent, and no connection stays', async (_, answer) => {
    const proxy = await connectProxy(answer)
    const exchange = exchanger({ proxyUrl: named(proxy), connectTimeoutMs: 300 })

    expect(await exchange(await issued())).toEqual({ kind: 'unsent', reason: 'connect timeout', retry: true })
    await expect.poll(proxy.open).toBe(0)
  })

  it('that hangs, our time is kept, too', async () => {
    const proxy = await connectProxy('')
    const exchange = exchanger({ proxyUrl: named(proxy), connectTimeoutMs: 1500 })

    expect(await exchange(await issued(), 200)).toEqual({ kind: 'unsent', reason: 'timeout', retry: true })
    await expect.poll(proxy.open, { timeout: 5000 }).toBe(0)
  })

  it('that is away, provably nothing was sent', async () => {
    const exchange = exchanger({ proxyUrl: 'http://127.0.0.1:1' })

    expect(await exchange(await issued())).toEqual({ kind: 'unsent', reason: 'ECONNREFUSED', retry: true })
  })

  it('that closes instead of answering, provably nothing was sent', async () => {
    const proxyUrl = await tcp((socket) => socket.on('data', () => socket.end()))

    expect(await exchanger({ proxyUrl })(await issued())).toMatchObject({ kind: 'unsent', retry: true })
  })

  it('a wrong certificate is refused as it is without one', async () => {
    const proxy = await connectProxy()
    const url = await behind(await other.issue())

    const exchanged = await exchanger({ proxyUrl: named(proxy) })(url)

    expect(exchanged).toEqual({ kind: 'unsent', reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', retry: false })
    await expect.poll(proxy.open).toBe(0)
  })

  it('an answer that is lost behind it is lost', async () => {
    const proxy = await connectProxy()
    const url = await tls(await authority.issue(), (socket) => socket.on('data', () => socket.destroy()))

    expect(await exchanger({ proxyUrl: named(proxy) })(url)).toEqual({ kind: 'lost', reason: 'ECONNRESET' })
  })
})

describe('a connection on which too much was said', () => {
  const whole = (text: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`

  it.each<[string, string, 'http' | 'https']>([
    ['an answer too many', whole('stale'), 'http'],
    ['an answer too many, over TLS', whole('stale'), 'https'],
    ['half an answer too many', whole('stale').slice(0, 30), 'http'],
    ['bytes that mean nothing', '\r\n', 'https'],
  ])('is not used again: %s', async (_, more, protocol) => {
    let connections = 0
    let closed = 0
    const behave: Behaviour = (socket) => {
      connections += 1
      socket.on('data', () => {
        socket.write(whole('fresh'))
        setTimeout(() => socket.write(more), 30)
      })
      socket.on('close', () => (closed += 1))
    }
    const url = protocol === 'http' ? await tcp(behave) : await tls(await authority.issue(), behave)
    const exchange = exchanger()

    expect(await exchange(url)).toMatchObject({ text: 'fresh' })
    await expect.poll(() => closed).toBe(1)
    expect(await exchange(url)).toMatchObject({ text: 'fresh' })

    expect(connections).toBe(2)
  })
})

describe('an answer without end', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n'

  /** Says this over and over, as fast as it is taken, and counts the bytes. */
  function pouring(head: string, again: string | Buffer) {
    const poured = { bytes: 0 }
    const url = tcp((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(again)) poured.bytes += again.length
      }
      socket.once('data', () => {
        socket.write(head)
        more()
        socket.on('drain', more)
      })
    })
    return { url, poured }
  }

  const KIB = 'x'.repeat(1024)

  it.each<[string, string, string, RegExp]>([
    ['of chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, `400\r\n${KIB}\r\n`, /answer too large/],
    ['of a body without a length', `${HEAD}\r\n`, KIB, /answer too large/],
    ['of header fields', HEAD, `X-More: ${KIB}\r\n`, /HPE_HEADER_OVERFLOW/],
    ['of one header field', `${HEAD}X-More: `, KIB, /HPE_HEADER_OVERFLOW/],
    ['of a reason', 'HTTP/1.1 200 ', KIB, /HPE_HEADER_OVERFLOW/],
    ['of a chunk’s extension', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4;a=`, KIB, /HPE_/],
  ])('%s is cut off, and the payment looked up', async (_, head, again, reason) => {
    const { url, poured } = pouring(head, again)

    const exchanged = await exchanger()(await url)

    expect(exchanged).toEqual({ kind: 'lost', reason: expect.stringMatching(reason) })
    expect(poured.bytes).toBeLessThan(32 * 1024 * 1024)
  })

  it('of interim answers ends when our time is up', async () => {
    const { url } = pouring('', 'HTTP/1.1 103 Early Hints\r\n\r\n')

    expect(await exchanger()(await url, 400)).toEqual({ kind: 'lost', reason: 'timeout' })
  })

  it('of single bytes ends when our time is up', async () => {
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    })

    expect(await exchanger()(await urlOf(server), 400)).toEqual({ kind: 'lost', reason: 'timeout' })
  })
})
