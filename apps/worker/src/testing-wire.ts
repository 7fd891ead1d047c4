import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { generate } from 'selfsigned'

/** Servers that treat a client well or badly, all on the loopback. Support for this folder's tests, which close what was opened
 * here with `closeWires`. */

const opened: (() => unknown)[] = []

export function whenClosing(close: () => unknown): void {
  opened.push(close)
}

export async function closeWires(): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
  heard.length = 0
}

/** All that servers below HTTP have received, decrypted where it came through TLS. */
const heard: Buffer[] = []

export const heardText = (): string => Buffer.concat(heard).toString('latin1')

export async function urlOf(server: Server, protocol = 'http'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  whenClosing(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const http = (listener: RequestListener): Promise<string> => urlOf(createServer(listener))

/** What a server that speaks no HTTP does with each connection. */
export type Behaviour = (socket: Socket) => void

export const tcp = (behave: Behaviour, protocol = 'http'): Promise<string> =>
  urlOf(createTcpServer(listening(behave)), protocol)

export const tls = (options: TlsOptions, behave: Behaviour): Promise<string> =>
  urlOf(createTlsServer(options, listening(behave)), 'https')

function listening(behave: Behaviour) {
  return (socket: Socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => heard.push(bytes))
    behave(socket)
  }
}

/** A port whose connections are never taken, and whose queue of waiting ones is full: whoever else connects hears nothing. */
export async function deafPort(): Promise<string> {
  const thread = new Worker(DEAF, { eval: true })
  const port = await new Promise<number>((resolve) => thread.once('message', resolve))
  const waiting: Socket[] = []
  whenClosing(() => {
    for (const socket of waiting) socket.destroy()
    return thread.terminate()
  })
  while (waiting.every(({ connecting }) => !connecting)) {
    waiting.push(connect({ port, host: '127.0.0.1' }).on('error', () => undefined))
    await sleep(50)
  }
  return `http://127.0.0.1:${port}`
}

/** Node takes every connection at once, so its thread is put to sleep as soon as it listens. */
const DEAF = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:worker_threads').parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`

export type Authority = Awaited<ReturnType<typeof createAuthority>>

export type Wanted = { ip?: string; from?: string; until?: string }

/** An authority, and certificates of it, good for 127.0.0.1 and from now on unless something else is wanted. */
export async function createAuthority(name = 'Test authority') {
  const own = await generate([{ name: 'commonName', value: name }], {
    ...ELLIPTIC,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })

  async function issue({ ip = '127.0.0.1', from, until }: Wanted = {}): Promise<{ cert: string; key: string }> {
    const issued = await generate([{ name: 'commonName', value: ip }], {
      ...ELLIPTIC,
      ...(from !== undefined && { notBeforeDate: new Date(from) }),
      ...(until !== undefined && { notAfterDate: new Date(until) }),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }],
      ca: { cert: own.cert, key: own.private },
    })
    return { cert: issued.cert, key: issued.private }
  }

  return { cert: own.cert, issue }
}

/** A certificate that vouches for itself. */
export async function selfSigned(ip = '127.0.0.1'): Promise<{ cert: string; key: string }> {
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip }] }]
  const own = await generate([{ name: 'commonName', value: ip }], { ...ELLIPTIC, extensions })
  return { cert: own.cert, key: own.private }
}

export type Proxy = {
  url: string /** What it was asked. */
  heads: string[] /** Connections that stand. */
  open: () => number
}

/** A proxy for CONNECT that answers so; without an answer it says 200 and leads on. */
export async function connectProxy(answer?: string): Promise<Proxy> {
  const heads: string[] = []
  let open = 0
  const url = await tcp((socket) => {
    open += 1
    socket.on('close', () => (open -= 1))
    socket.once('data', (head) => {
      heads.push(String(head))
      if (answer !== undefined) return void socket.write(answer)
      const [, host, port] = /^CONNECT ([\d.]+):(\d+) /.exec(String(head)) ?? []
      const onward = connect({ host, port: Number(port) }, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
    })
  })
  return { url, heads, open: () => open }
}

/** Made in a moment, unlike RSA keys. */
const ELLIPTIC = { keyType: 'ec', algorithm: 'sha256' } as const
