import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { SECOND } from '@pay/service'
import type { Express } from 'express'
import type { Metrics } from './metrics.ts'
import { answerUnreadable } from './unreadable.ts'

export type DoorOptions = {
  app: Express
  metrics: Metrics
  /** Without one, plain HTTP. */
  certificate?: { cert: Buffer; key: Buffer }
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

/** The HTTP server before the app, not listening yet. Whatever Node would answer by itself and without a body is answered by
 * us: what it cannot read (unreadable.ts), and what it can but would refuse (the app does). */
export function createDoor({ app, metrics, certificate, limits }: DoorOptions): Server {
  const options = { ...LIMITS, ...limits, requireHostHeader: false }
  const server = certificate
    ? createHttpsServer({ ...options, ...certificate, minVersion: 'TLSv1.2' }, app)
    : createHttpServer(options, app)
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  answerUnreadable(server, metrics)
  return server
}
