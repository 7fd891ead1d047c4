import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity, createLedger, openReplyChannel } from '@pay/ledger'
import { connectPatiently, createProducer } from '@pay/payment-queue'
import {
  createLog,
  createTimes,
  giveUp,
  listen,
  openStores,
  portOf,
  type Running,
  reasonOf,
  startHeartbeat,
  startOperations,
} from '@pay/service'
import { createApp, ENDPOINT } from './app.ts'
import { createDoor } from './door.ts'
import type { GatewayEnvironment } from './environment.ts'
import { createFirstSeen } from './first-seen.ts'
import { createMetrics } from './metrics.ts'
import { createPay } from './pay.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** One gateway process, serving when this resolves.
 *
 *  1 connect and check both Redis servers
 *  2 open the reply channel: from now on outcomes find their way here
 *  3 listen for operators, then for Twilio
 *  drain: not ready -> no new connections -> every held try gets its answer (at most until ANSWER_BY) -> close
 */
export async function startGateway(env: GatewayEnvironment): Promise<Running> {
  const log = createLog({ name: 'gateway', level: env.LOG_LEVEL, pretty: env.LOG_PRETTY })
  const times = createTimes(env)
  const stores = await openStores(env, log, giveUp)
  const subscriber = connectPatiently({ url: env.LEDGER_REDIS_URL, caFile: env.CA_FILE })
  const now = () => performance.now()
  const gateway = randomUUID()

  const ledger = createLedger({ redis: stores.ledger, ...times })
  const room = createWaitingRoom({ rereadMs: times.rereadMs, readMany: ledger.readMany, now })
  const missed = (error: unknown) => log.warn({ step: 'reread', reason: reasonOf(error) }, 'the ledger did not answer')
  await openReplyChannel({
    subscriber,
    gateway,
    onReply: room.tell,
    onOpen: () => void room.rereadAll().catch(missed),
  })
  const rereading = setInterval(() => void room.rereadOverdue().catch(missed), times.rereadMs)

  const producer = createProducer(stores.queue)
  const metrics = createMetrics(room.size)
  const pay = createPay({
    ledger,
    producer,
    room,
    identity: createIdentity(env.LEDGER_KEY),
    sealKeys: env.SEAL_KEYS,
    times,
    gateway,
    maxWaiting: env.MAX_WAITING,
    firstSeen: createFirstSeen({ now, rememberMs: 2 * times.answerByMs }),
    now,
    log,
  })
  const certificate = certificateOf(env)
  const app = createApp({ pay, allowedAccounts: env.ALLOWED_ACCOUNTS, currencies: env.CURRENCIES, metrics, log })

  let draining = false
  const connections = [
    ['queue', stores.queue],
    ['ledger', stores.ledger],
    ['reply channel', subscriber],
  ] as const
  const heartbeat = startHeartbeat(connections, { everyMs: times.heartbeatMs })
  const problems = () => [...(draining ? ['draining'] : []), ...heartbeat.silent()]
  const operations = await startOperations({
    port: env.OPS_PORT,
    host: env.OPS_HOST,
    problems,
    metrics: metrics.registry,
  })
  const server = createDoor({ app, metrics, ...(certificate && { certificate }) })
  await listen(server, { port: env.PORT, host: env.HOST, variable: 'PORT' })
  const requestsInWork = countRequests(server)
  log.info({ port: portOf(server) }, `listening on ${env.HOST}:${portOf(server)}${ENDPOINT}`)

  return {
    async drain() {
      draining = true
      log.info({ count: room.size() }, 'draining')
      await closed(server, () => requestsInWork() > 0 || room.size() > 0, times.answerByMs)
      clearInterval(rereading)
      heartbeat.stop()
      operations.close()
      operations.closeAllConnections()
      subscriber.disconnect()
      await producer.close()
      await stores.close()
      log.info({}, 'drained')
    },
    flush: () => log.flush(),
  }
}

function certificateOf({ TLS_CERT_FILE, TLS_KEY_FILE }: GatewayEnvironment) {
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return undefined
  return { cert: readFileSync(TLS_CERT_FILE), key: readFileSync(TLS_KEY_FILE) }
}

const DRAIN_CHECK_MS = 50

/** No new connections, and none at all once no request is in work any more or the limit has passed. (A connection that
 * never sent a request counts as busy for Node, so closing the idle ones is not enough.) */
async function closed(server: Server, isBusy: () => boolean, limitMs: number): Promise<void> {
  const end = new Promise((resolve) => server.close(resolve))
  const giveUpAt = performance.now() + limitMs
  while (isBusy() && performance.now() < giveUpAt) {
    server.closeIdleConnections()
    await sleep(DRAIN_CHECK_MS)
  }
  server.closeAllConnections()
  await end
}

/** Counts the requests in work, whether or not their callers still listen. */
function countRequests(server: Server): () => number {
  let inWork = 0
  server.on('request', (_request, response) => {
    inWork += 1
    response.once('close', () => {
      inWork -= 1
    })
  })
  return () => inWork
}
