import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Method, parsePayRequest, toPayReply, type Verdict } from '@pay/mapper'
import { type Log, reasonOf, SAFE_HEADERS, type Traces, type TrustProxy } from '@pay/service'
import express, { type Express, type Request, type Response } from 'express'
import { bodyOf, readBytes } from './body.ts'
import { networkOf } from './caller-address.ts'
import { readCredentials } from './credentials.ts'
import type { Guesses } from './guesses.ts'
import type { Metrics } from './metrics.ts'
import type { Pay } from './pay.ts'
import { NotJson } from './strict-json.ts'
import type { HungUp } from './waiting-room.ts'

/** Twilio's side of the connector. Every answer has the same JSON shape:
 *
 *  401  the credentials are missing, malformed or not allowed
 *  400  the body is not one JSON object · 413 it is too large · 404, 405 the wrong door · 417 it wants what nobody knows
 *  200  everything else, also refusals: `invalid_request`, a decline, `not_processed`, `unconfirmed`
 *  none at all (the connection is closed): nothing true can be said yet, the next try joins
 */
export type AppDeps = {
  pay: Pay
  allowedAccounts: readonly string[]
  currencies: readonly string[]
  /** Without it the address of a connection may be that of a proxy. */
  trustProxy?: TrustProxy | undefined
  guesses: Pick<Guesses, 'wasStrange'>
  /** While it is so, each answer is the last on its connection. */
  isLeaving: () => boolean
  metrics: Metrics
  traces: Traces
  log: Log
}

/** The path of Bluefin's own bridge, so that only the host changes; the suffixes are Twilio's form from before 2022. */
export const ENDPOINT = '/api/v4/payments/twilio-bridge'
/** One trace for each try of somebody with credentials: whoever has none makes none. */
const TRY = `POST ${ENDPOINT}`
const PATHS = [ENDPOINT, `${ENDPOINT}/:method`]

// A Map, because an object also has `constructor` and would take it for a method.
const METHODS: ReadonlyMap<string, Method> = new Map([
  ['charge', 'charge'],
  ['tokenize', 'tokenize'],
])

export function createApp(deps: AppDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.set('trust proxy', deps.trustProxy ?? false)
  app.param('method', keepPathMethod)
  app.use(checkHeaders)
  app.post(PATHS, checkCredentials, readBytes, handlePay)
  app.all(PATHS, (_request, response) => {
    response.set('Allow', 'POST')
    refuse(response, 405, 'method')
  })
  app.use((_request, response) => refuse(response, 404, 'path'))
  app.use(handleError)
  return app

  /** What HTTP demands of a server (RFC 9110, 7.2 and 10.1.1). */
  function checkHeaders({ httpVersion, headers }: Request, response: Response, next: () => void): void {
    if (httpVersion === '1.1' && headers.host === undefined) refuse(response, 400, 'host')
    else if (headers.expect !== undefined && !/^100-continue$/i.test(headers.expect)) refuse(response, 417, 'expect')
    else next()
  }

  function checkCredentials(request: Request, response: Response, next: () => void): void {
    response.locals.credentials = readCredentials(request.headers.authorization, deps.allowedAccounts)
    if (response.locals.credentials) next()
    else refuseCredentials(request, response)
  }

  /** Whoever is refused too often needs a new connection for each guess. */
  function refuseCredentials(request: Request, response: Response): void {
    if (deps.guesses.wasStrange(networkOf(request.ip))) response.set('Connection', 'close')
    response.set('WWW-Authenticate', 'Basic realm="PayConex", charset="UTF-8"')
    send(response, 401, pathMethodOf(response) ?? 'charge', { kind: 'unauthorized' })
  }

  async function handlePay(request: Request, response: Response): Promise<void> {
    const started = performance.now()
    const span = deps.traces.begin({ name: TRY, kind: 'server', heard: request.headers.traceparent })
    const body = bodyOf(request)
    const pathMethod = pathMethodOf(response)
    const parsed = parsePayRequest(body, { ...(pathMethod && { pathMethod }), currencies: deps.currencies })
    if (!parsed.ok) {
      deps.log.info({ event: 'try.invalid', field: parsed.field, trace_id: span.traceId }, 'refused before queueing')
      span.end({ method: parsed.method, verdict: 'invalid_request', status: 200 })
      return send(response, 200, parsed.method, { kind: 'invalid_request', field: parsed.field })
    }
    const credentials = response.locals.credentials
    const address = deps.trustProxy === undefined ? undefined : networkOf(request.ip)
    const theTry = { request: parsed.request, body, credentials, address, hungUp: hungUpOf(response), span }
    const verdict = await deps.pay(theTry).catch(saysNothing)
    deps.metrics.observe(parsed.request.method, verdict?.kind ?? 'silence', performance.now() - started)
    span.end({ method: parsed.request.method, verdict: verdict?.kind ?? 'silence', ...(verdict && { status: 200 }) })
    if (verdict) send(response, 200, parsed.request.method, verdict)
    else response.destroy()
  }

  /** An error of our own says nothing about the payment, so neither do we: the next try joins. Whatever the error looks
   * like, once a try is under way it is not the caller's fault. */
  function saysNothing(error: unknown): undefined {
    deps.log.error({ event: 'try.failed', reason: reasonOf(error) }, 'a try ended in an error')
  }

  // Express knows an error handler by its four parameters.
  function handleError(error: unknown, _request: Request, response: Response, _next: unknown): void {
    const status = statusOf(error)
    if (status >= 500) saysNothing(error)
    if (status >= 500 || response.headersSent) return void response.destroy()
    refuse(response, status, status === 413 ? 'size' : 'body')
  }

  function refuse(response: Response, status: number, field: string): void {
    send(response, status, pathMethodOf(response) ?? 'charge', { kind: 'invalid_request', field })
  }

  function send(response: Response, status: number, method: Method, verdict: Verdict): void {
    deps.metrics.answered(status, verdict.kind)
    if (response.destroyed) return
    if (deps.isLeaving()) response.set('Connection', 'close')
    const text = JSON.stringify(toPayReply(method, verdict))
    response
      .writeHead(status, [...headersFor(response.req.socket), 'Content-Length', Buffer.byteLength(text)])
      .end(text)
  }
}

/** The method that the path says is kept with the response: Express forgets the path's parameters before it calls an error
 * handler. An unknown one is another path. */
function keepPathMethod(_request: Request, response: Response, next: (skip?: 'route') => void, method: string): void {
  response.locals.pathMethod = METHODS.get(method)
  next(METHODS.has(method) ? undefined : 'route')
}

const pathMethodOf = (response: Response): Method | undefined => response.locals.pathMethod

function hungUpOf(response: Response): HungUp {
  const hungUp = { aborted: false, onabort: null as (() => void) | null }
  response.once('close', () => {
    hungUp.aborted = true
    hungUp.onabort?.()
  })
  return hungUp
}

/** In one list, as they go out, because Express would look into each. Over TLS of our own it can be promised that we are never to be
 * spoken to without; behind a proxy that is the proxy's to promise. */
const headersFor = (socket: Socket) => (socket instanceof TLSSocket ? HEADERS_OVER_TLS : HEADERS)

const HEADERS = ['Content-Type', 'application/json; charset=utf-8', ...Object.entries(SAFE_HEADERS).flat()]
const HEADERS_OVER_TLS = [...HEADERS, 'Strict-Transport-Security', 'max-age=31536000']

/** What the body parser refuses is the caller's fault; everything else is ours. */
function statusOf(error: unknown): number {
  if (error instanceof NotJson) return 400
  const { status } = error as { status?: unknown }
  if (status === 413) return 413
  return typeof status === 'number' && status >= 400 && status < 500 ? 400 : 500
}
