import { json, type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { faultRequest } from './faults.ts'
import { charged, findDuplicates, returned, toRow } from './ledger.ts'
import { settingsChange } from './settings.ts'
import type { World } from './world.ts'

/** The remote control of the simulator. PayConex has nothing of the kind, and every answer says so in a header. A body
 * that fits no schema is a 400 which names the field. */
export function createControl(world: World): Router {
  const { faults, journal, settings, lines } = world
  const showFaults = () => ({ faults: faults.list(), held: lines.count() })
  const router = Router()
  router.use(saySo, json({ type: () => true }))

  router.get('/', (_request, response) => void response.json({ note: NOTE, routes: ROUTES }))
  router.get('/ledger', (request, response) => void response.json(showLedger(world, customIdOf(request))))
  router.get('/requests', (request, response) => {
    const { account_id } = request.query
    const accountId = typeof account_id === 'string' ? account_id : undefined
    response.json({ requests: journal.requests({ custom_id: customIdOf(request), account_id: accountId }) })
  })
  router.get('/faults', (_request, response) => void response.json(showFaults()))
  router.post('/faults', ({ body }, response) => {
    faults.add(faultRequest.parse(body))
    response.json(showFaults())
  })
  router.delete('/faults', ({ query }, response) => {
    faults.clear(typeof query.label === 'string' ? query.label : undefined)
    response.json(showFaults())
  })
  router.get('/settings', (_request, response) => void response.json(settings.current))
  router.post('/settings', ({ body }, response) => {
    settings.change(settingsChange.parse(body))
    response.json(settings.current)
  })
  router.post('/reset', (_request, response) => {
    world.reset()
    response.json({ reset: true })
  })
  router.use((_request, response) => void response.status(404).json({ error: 'no such control; see GET /_sim' }))
  router.use(refuseBadBody)
  return router
}

const NOTE = 'control interface of the simulator, not part of PayConex'

const ROUTES = [
  'GET /_sim/ledger?custom_id=',
  'GET /_sim/requests?custom_id=',
  'GET, POST /_sim/faults, DELETE /_sim/faults?label=',
  'GET, POST /_sim/settings',
  'POST /_sim/reset',
]

/** What happened, for machines. With a custom_id: only what concerns it, except for the counts of requests. */
export function showLedger({ ledger, journal }: World, customId?: string) {
  const entries = ledger.entries(customId)
  return {
    transactions: entries.map(toRow),
    duplicates: findDuplicates(entries),
    requests: journal.counts(),
    charged: charged(entries),
    returned: returned(entries),
  }
}

const customIdOf = ({ query }: Request) => (typeof query.custom_id === 'string' ? query.custom_id : undefined)

const saySo: RequestHandler = (_request, response, next) => {
  response.set('X-Simulator', NOTE)
  next()
}

/** Four parameters, because that is how Express knows an error handler. */
function refuseBadBody(error: unknown, _request: Request, response: Response, next: NextFunction) {
  if (error instanceof z.ZodError) return void response.status(400).json({ error: explain(error) })
  if (error instanceof SyntaxError) return void response.status(400).json({ error: 'the body is not JSON' })
  next(error)
}

/** "next: Too small: expected number to be >=1; on: Invalid option" */
const explain = ({ issues }: z.ZodError) =>
  issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
