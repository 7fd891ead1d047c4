import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { generate } from 'selfsigned'

export type Certificate = { cert: string; private: string }

/** A TLS front before PayConex, with a certificate that can be exchanged, as a load balancer has. */
export async function openFront(to: string, first: Certificate) {
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  const server = createServer({ cert: first.cert, key: first.private }, (near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) keep(socket)
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  let handshakes = 0
  server.on('connection', keep).on('connection', () => (handshakes += 1))
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }

  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How often somebody connected. */
    handshakes: () => handshakes,
    /** From now on this one; whoever is connected must connect anew. */
    show: ({ cert, private: key }: Certificate) => {
      server.setSecureContext({ cert, key })
      for (const socket of sockets) socket.destroy()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const YEAR = 365 * 24 * 3600 * 1000

export type Named = { host?: string; expired?: boolean }

/** A certificate that is its own authority. */
export function selfSigned({ host = '127.0.0.1', expired = false }: Named = {}): Promise<Certificate> {
  const [notBeforeDate, notAfterDate] = expired ? [-2 * YEAR, -YEAR] : [-YEAR, YEAR]
  const altName = host === '127.0.0.1' ? { type: 7 as const, ip: host } : { type: 2 as const, value: host }
  return generate([{ name: 'commonName', value: host }], {
    notBeforeDate: new Date(Date.now() + notBeforeDate),
    notAfterDate: new Date(Date.now() + notAfterDate),
    extensions: [{ name: 'subjectAltName', altNames: [altName] }],
  })
}
