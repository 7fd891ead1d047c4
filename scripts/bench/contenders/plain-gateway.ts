import { Queue, QueueEvents } from 'bullmq'
import express from 'express'
import { BRIDGE_PATH } from '../../stack/fleet.ts'
import { credentialsOf } from './bridge.ts'
import { settingsOf } from './settings.ts'

/* Contender `plain`, its gateway: request and response over BullMQ as in the textbook, `add` and `waitUntilFinished`. The card data
 * stands in the job in clear. */

const ANSWER_LIMIT_MS = 120_000
/** A job that is removed at once may be gone before it is waited for. */
const KEPT = { count: 1_000 }

const { port, redis: connection } = settingsOf(process.env)
const queue = new Queue('payments', { connection })
const events = new QueueEvents('payments', { connection })
// Each wait listens to both.
queue.setMaxListeners(0)
events.setMaxListeners(0)
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])

const app = express()

app.get('/', (_request, response) => void response.send('here'))

app.post(BRIDGE_PATH, express.json(), async (request, response) => {
  const credentials = credentialsOf(request.headers.authorization)
  if (!credentials) return void response.sendStatus(401)
  const data = { order: request.body, credentials }
  const job = await queue.add('payment', data, { removeOnComplete: KEPT, removeOnFail: KEPT })
  response.json(await job.waitUntilFinished(events, ANSWER_LIMIT_MS))
})

app.listen(port, '127.0.0.1')
