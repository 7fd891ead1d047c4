import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type Certificate, SECOND, secureContextOf } from '@pay/service'
import type { Express } from 'express'
import type { Metrics } from './metrics.ts'
import { answerUnreadable } from './unreadable.ts'

export type DoorOptions = {
  app: Express
  metrics: Metrics
  /** Without one, plain HTTP. */
  certificate?: Certificate
  maxConnections: number
  limits?: Partial<typeof LIMITS>
}

/** Against connections that send slowly or nothing. How long a try is held is not among them. Node looks only every 30 s
 * whether they are kept, unless it is told to look more often. */
const LIMITS = {
  requestTimeout: 10 * SECOND,
  headersTimeout: 5 * SECOND,
  keepAliveTimeout: 65 * SECOND,
  connectionsCheckingInterval: 1 * SECOND,
}

const MAX_HEADER_BYTES = 16 * 1024

/** The HTTP server before the app, not listening yet. Whatever Node would answer by itself and without a body is answered by
 * us: what it cannot read (unreadable.ts), and what it can but would refuse (the app does). */
export function createDoor({ app, metrics, certificate, maxConnections, limits }: DoorOptions): Server {
  const options = { ...LIMITS, ...limits, requireHostHeader: false, maxHeaderSize: MAX_HEADER_BYTES }
  const server = certificate
    ? createHttpsServer({ ...options, ...secureContextOf(certificate), handshakeTimeout: options.headersTimeout }, app)
    : createHttpServer(options, app)
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  answerUnreadable(server, metrics)
  boundConnections(server, maxConnections, metrics)
  return server
}

const MAKE_ROOM_MS = 1 * SECOND

/** A flood of connections must not take all that a process can have. When there is no room, those that are between two requests
 * lose theirs; those that never began one do after `headersTimeout`. Looking for them takes time, so not for every newcomer. */
function boundConnections(server: Server, max: number, metrics: Pick<Metrics, 'dropped'>): void {
  server.maxConnections = max
  let madeRoomAt = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    metrics.dropped()
    if (performance.now() - madeRoomAt < MAKE_ROOM_MS) return
    madeRoomAt = performance.now()
    server.closeIdleConnections()
  })
}
