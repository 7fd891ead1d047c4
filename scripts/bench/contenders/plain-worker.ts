import { createServer } from 'node:http'
import axios from 'axios'
import { Worker } from 'bullmq'
import { toForm, toReply } from './bridge.ts'
import { settingsOf } from './settings.ts'

/* Contender `plain`, its worker. */

const { port, payments, redis, concurrency } = settingsOf(process.env)

const worker = new Worker(
  'payments',
  async ({ data: { order, credentials } }) => {
    const { data } = await axios.post(payments, toForm(order, credentials))
    return toReply(data)
  },
  { connection: redis, concurrency },
)
await worker.waitUntilReady()

createServer((_request, response) => response.end('here')).listen(port, '127.0.0.1')
