import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { createControl } from './control.ts'
import { createExchange } from './exchange.ts'
import { type Reply, webPage } from './line.ts'
import { renderPage } from './page.ts'
import { createQsapi } from './qsapi.ts'
import { createRsapi } from './rsapi.ts'
import { createTsapi } from './tsapi.ts'
import { createWorld } from './world.ts'

/** Two fields of QSAPI may hold 65,000 characters each, and a form can make three bytes of one. */
const BODY_LIMIT_BYTES = 512 * 1024

/** Idle connections are closed after this time, so that clients meet the race between reuse and close. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000

/** A PayConex of one's own: it remembers, it can be made to fail, and it starts empty. */
export function createSimulator() {
  const world = createWorld()
  const app = express()
  app.disable('x-powered-by')
  // Forms only, as documented: a body of any other type is as good as none, and then the account is missing.
  const form = express.text({ type: 'application/x-www-form-urlencoded', limit: BODY_LIMIT_BYTES })
  app.post('/api/qsapi/3.8', form, createExchange(world, createQsapi(world)))
  app.post('/api/tsapi/3.8', form, createExchange(world, createTsapi(world)))
  app.post('/api/rsapi/3.8', form, createRsapi(world))
  app.use('/_sim', createControl(world))
  app.get('/', (_request, response) => void response.type('html').send(renderPage(world)))
  app.use((_request, response) => sendPage(response, webPage(404, 'Not Found')))
  app.use(sendError)

  return {
    app,
    /** Resolves once connections are taken; port 0 means any free one. `close` drops whatever is in flight. */
    async listen(port = 0, host = '127.0.0.1') {
      const server = await listen(app, port, host)
      const close = () => {
        world.lines.cutAll()
        server.closeAllConnections()
        return new Promise<void>((resolve) => server.close(() => resolve()))
      }
      return { url: toUrl(server.address()), close }
    },
  }
}

async function listen(app: Express, port: number, host: string): Promise<Server> {
  const server = createServer({ keepAlive: true, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, app)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return server
}

function toUrl(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP address')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

/** Broken and oversized bodies end as a web server's own page, like everything that never reaches PayConex. */
function sendError(error: { status?: number }, _request: Request, response: Response, next: NextFunction) {
  if (response.headersSent) return next(error)
  const status = error.status ?? 500
  sendPage(response, webPage(status, status < 500 ? 'Bad Request' : 'Internal Server Error'))
}

function sendPage(response: Response, { status = 200, contentType, body }: Reply) {
  response.status(status).type(contentType).send(body)
}
