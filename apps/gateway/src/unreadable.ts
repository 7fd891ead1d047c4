import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { toPayReply } from '@pay/mapper'
import { SAFE_HEADERS } from '@pay/service'
import type { Metrics } from './metrics.ts'

/** What cannot be read as HTTP never reaches the app: Node answers it by itself, without a body. Here it gets the same status
 * and the shape of every other answer, and the connection is closed:
 *
 *  400  this is no HTTP, or asks to go on in something else · 413 its chunks say too much · 431 its headers are too large
 *  silence  it came too slowly, nobody listens any more, or the answer would be taken for that of a payment: the slow
 *           request may be the repeat of one that was charged
 */
export function answerUnreadable(server: Server, metrics: Pick<Metrics, 'answered'>): void {
  const exchanges = rememberExchanges(server)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = statusOf(error)
    if (status === undefined) socket.destroy()
    else refuse(socket, status)
  })
  // Were it ignored, Node would drop what follows in the same packet, and read on in the middle of the next request: what stands
  // in a body would be taken for a request of its own.
  for (const event of ['upgrade', 'connect'])
    server.on(event, (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined)
      refuse(socket, 400)
    })

  function refuse(socket: Duplex, status: number): void {
    if (!socket.writable || !exchanges(socket).every(isStillRead)) return void socket.destroy()
    metrics.answered(status, 'invalid_request')
    socket.end(answer(status), () => socket.destroy())
  }
}

/** Undefined for an error of the connection, not of what came over it: a reset, a failed TLS handshake. */
function statusOf({ code = '' }: NodeJS.ErrnoException): number | undefined {
  return STATUSES.get(code) ?? (code.startsWith('HPE_') ? 400 : undefined)
}

const STATUSES: ReadonlyMap<string, number> = new Map([
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_HEADER_OVERFLOW', 431],
])

type Exchange = { request: IncomingMessage; response: ServerResponse }

/** A request whose own bytes are what cannot be read has paid nothing yet. One that was read to its end may be a payment under
 * way: on its connection answers come in order, so that the next one would say of the payment that it was refused. */
const isStillRead = ({ request, response }: Exchange) => !request.complete && !response.headersSent

/** The exchanges of a connection that are not over. */
function rememberExchanges(server: Server): (socket: Duplex) => Exchange[] {
  const open = new WeakMap<Duplex, Set<Exchange>>()
  server.on('request', (request, response) => {
    const exchange = { request, response }
    const others = open.get(request.socket) ?? new Set()
    open.set(request.socket, others.add(exchange))
    response.once('close', () => others.delete(exchange))
  })
  return (socket) => [...(open.get(socket) ?? [])]
}

function answer(status: number): string {
  const body = JSON.stringify(toPayReply('charge', { kind: 'invalid_request', field: 'request' }))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(SAFE_HEADERS).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
