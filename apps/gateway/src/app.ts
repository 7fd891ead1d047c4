import { type Method, parsePayRequest, toPayReply, type Verdict } from '@pay/mapper'
import { type Log, reasonOf } from '@pay/service'
import express, { type Express, type Request, type Response } from 'express'
import { bodyOf, readBytes } from './body.ts'
import { readCredentials } from './credentials.ts'
import type { Metrics } from './metrics.ts'
import type { Pay } from './pay.ts'
import { NotJson } from './strict-json.ts'

/** Twilio's side of the connector. Every answer has the same JSON shape:
 *
 *  401  the credentials are missing, malformed or not allowed
 *  400  the body is not one JSON object · 413 it is too large · 404, 405 the wrong door
 *  200  everything else, also refusals: `invalid_request`, a decline, `not_processed`, `unconfirmed`
 *  none at all (the connection is closed): nothing true can be said yet, the next try joins
 */
export type AppDeps = {
  pay: Pay
  allowedAccounts: readonly string[]
  currencies: readonly string[]
  metrics: Metrics
  log: Log
}

/** The path of Bluefin's own bridge, so that only the host changes; the suffixes are Twilio's form from before 2022. */
export const ENDPOINT = '/api/v4/payments/twilio-bridge'
const PATHS = [ENDPOINT, `${ENDPOINT}/:method`]

const METHODS: Readonly<Record<string, Method>> = { charge: 'charge', tokenize: 'tokenize' }

export function createApp(deps: AppDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.param('method', (_request, _response, next, method: string) => next(METHODS[method] ? undefined : 'route'))
  app.post(PATHS, checkCredentials, readBytes, handlePay)
  app.all(PATHS, (_request, response) => {
    response.set('Allow', 'POST')
    refuse(response, 405, 'method')
  })
  app.use((_request, response) => refuse(response, 404, 'path'))
  app.use(handleError)
  return app

  function checkCredentials(request: Request, response: Response, next: () => void): void {
    response.locals.credentials = readCredentials(request.headers.authorization, deps.allowedAccounts)
    if (response.locals.credentials) next()
    else refuseCredentials(request, response)
  }

  function refuseCredentials(request: Request, response: Response): void {
    response.set('WWW-Authenticate', 'Basic realm="PayConex", charset="UTF-8"')
    send(response, 401, pathMethodOf(request) ?? 'charge', { kind: 'unauthorized' })
  }

  async function handlePay(request: Request, response: Response): Promise<void> {
    const started = performance.now()
    const body = bodyOf(request)
    const pathMethod = pathMethodOf(request)
    const parsed = parsePayRequest(body, { ...(pathMethod && { pathMethod }), currencies: deps.currencies })
    if (!parsed.ok) {
      deps.log.info({ field: parsed.field, verdict: 'invalid_request' }, 'refused before queueing')
      return send(response, 200, parsed.method, { kind: 'invalid_request', field: parsed.field })
    }
    const credentials = response.locals.credentials
    const verdict = await deps.pay({ request: parsed.request, body, credentials, hungUp: hangUpOf(response) })
    deps.metrics.observe(parsed.request.method, verdict?.kind ?? 'silence', performance.now() - started)
    if (verdict) send(response, 200, parsed.request.method, verdict)
    else response.destroy()
  }

  // Express knows an error handler by its four parameters.
  function handleError(error: unknown, request: Request, response: Response, _next: unknown): void {
    const status = statusOf(error)
    if (status >= 500) deps.log.error({ reason: reasonOf(error) }, 'a try ended in an error')
    // An error of our own says nothing about the payment, so neither do we: the next try joins.
    if (status >= 500 || response.headersSent) return void response.destroy()
    refuse(response, status, status === 413 ? 'size' : 'body', pathMethodOf(request))
  }

  function refuse(response: Response, status: number, field: string, method: Method = 'charge'): void {
    send(response, status, method, { kind: 'invalid_request', field })
  }

  function send(response: Response, status: number, method: Method, verdict: Verdict): void {
    deps.metrics.answered(status, verdict.kind)
    if (response.destroyed) return
    response.status(status).set('Cache-Control', 'no-store').json(toPayReply(method, verdict))
  }
}

const pathMethodOf = (request: Request): Method | undefined => METHODS[String(request.params.method)]

function hangUpOf(response: Response): AbortSignal {
  const hangUp = new AbortController()
  response.once('close', () => hangUp.abort())
  return hangUp.signal
}

/** What the body parser refuses is the caller's fault; everything else is ours. */
function statusOf(error: unknown): number {
  if (error instanceof NotJson) return 400
  const { status } = error as { status?: unknown }
  if (status === 413) return 413
  return typeof status === 'number' && status >= 400 && status < 500 ? 400 : 500
}
