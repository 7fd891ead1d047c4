import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { generate } from 'selfsigned'

/** Support for this folder's tests. */

const DAY_MS = 24 * 60 * 60 * 1000

export const key = () => randomBytes(32).toString('base64')

export type Pem = { cert: string; private: string }

/** A certificate that is its own authority, of this address unless another name is given. */
export const selfSigned = ({ name = '127.0.0.1', days = 300 } = {}): Promise<Pem> =>
  generate([{ name: 'commonName', value: name }], {
    // Made much faster than RSA.
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 600 * DAY_MS),
    // A little more than whole days, so that they are whole when they are counted.
    notAfterDate: new Date(Date.now() + days * DAY_MS + DAY_MS / 2),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [name === '127.0.0.1' ? { type: 7 as const, ip: name } : { type: 2 as const, value: name }],
      },
    ],
  })

export type Opened = { port: number; close: () => void }

/** Takes connections, and says nothing. */
export const openSilence = (): Promise<Opened> =>
  listening(createServer((socket) => socket.on('error', () => undefined)))

/** Answers the first thing that it hears with this. */
export const openParrot = (answer: string): Promise<Opened> =>
  listening(
    createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(answer))
    }),
  )

/** TLS before a server that has none. */
export function openTls({ cert, private: key }: Pem, to: string): Promise<Opened> {
  const { hostname, port } = new URL(to)
  const server = createTlsServer({ cert, key }, (near) => {
    const far = connect(Number(port), hostname)
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.on('error', () => undefined).on('close', () => other.destroy())
    }
    near.pipe(far).pipe(near)
  })
  server.on('tlsClientError', () => undefined)
  return listening(server)
}

/** A way to a Redis on which nothing comes through any more once the time was asked. */
export function openForgetful(to: string): Promise<Opened> {
  const { hostname, port } = new URL(to)
  let isLost = false
  return listening(
    createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const [one, other] of [[near, far] as const, [far, near] as const]) {
        one.on('error', () => undefined).on('close', () => other.destroy())
      }
      near.on('data', (data) => {
        isLost ||= /\r\ntime\r\n/i.test(String(data))
        if (!isLost) far.write(data)
      })
      far.pipe(near)
    }),
  )
}

async function listening(server: Server): Promise<Opened> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
