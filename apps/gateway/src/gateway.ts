import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity, openReplyChannel, shardNames, shardOf } from '@pay/ledger'
import {
  connectPatiently,
  createProducer,
  createWeatherStation,
  oldestJobMs,
  type Producer,
  type ShardConnections,
  spreadProducers,
  spreadStations,
  type WeatherStation,
} from '@pay/payment-queue'
import {
  type Certificate,
  checkProcess,
  createLog,
  createTimes,
  type GatewayEnvironment,
  giveUp,
  listen,
  openLedger,
  openStores,
  openTraces,
  portOf,
  type Running,
  readCertificate,
  reasonOf,
  renewSealKeys,
  showSettings,
  startHeartbeat,
  startOperations,
  systemClock,
  validUntil,
  watchShards,
} from '@pay/service'
import { createApp, ENDPOINT } from './app.ts'
import { renewCertificate } from './certificate.ts'
import { createDoor } from './door.ts'
import { createFirstSeen } from './first-seen.ts'
import { createLanes } from './lanes.ts'
import { createMetrics } from './metrics.ts'
import { type MisuseLimits, watchMisuse } from './misuse.ts'
import { measureOldestWaiting } from './oldest-waiting.ts'
import openapi from './openapi.json' with { type: 'json' }
import { createPay } from './pay.ts'
import { showCertificate } from './show-certificate.ts'
import { showWeather } from './show-weather.ts'
import { createWaitingRoom } from './waiting-room.ts'
import { watchWeather } from './watch-weather.ts'

/** One gateway process, serving when this resolves.
 *
 *  1 connect and check both Redis servers
 *  2 open the reply channel: from now on outcomes find their way here
 *  3 look at the weather, and keep looking
 *  4 listen for operators, then for Twilio
 *  drain: not ready, each answer the last on its connection -> no new connections -> every held try gets its answer (at most
 *         until ANSWER_BY) -> close
 */
export async function startGateway(env: GatewayEnvironment): Promise<Running> {
  const log = createLog({ name: 'gateway', level: env.LOG_LEVEL, pretty: env.LOG_PRETTY })
  checkProcess(env, log)
  const traces = await openTraces(env, { name: 'gateway', log })
  const times = createTimes(env)
  const stores = await openStores(env, log, giveUp, { role: 'gateway' })
  const subscriber = connectPatiently({ url: env.LEDGER_REDIS_URL, caFile: env.CA_FILE })
  const clock = systemClock
  const gateway = randomBytes(9).toString('base64url')

  const { ledger, close: closeLedger } = await openLedger({ env, stores, times, log, onWrong: giveUp })
  const stopRenewingKeys = renewSealKeys({ env, ledger: stores.ledger, everyMs: times.renewKeysMs, log })
  const room = createWaitingRoom({ rereadMs: times.rereadMs, readMany: ledger.readMany, gateway, clock })
  const missed = (error: unknown) =>
    log.warn({ event: 'ledger.silent', step: 'reread', reason: reasonOf(error) }, 'the ledger did not answer')
  await openReplyChannel({
    subscriber,
    gateway,
    onReply(record, fences) {
      ledger.saw(fences, record.key)
      room.tell(record)
    },
    onOpen: () => void room.rereadAll().catch(missed),
  })
  const rereading = setInterval(() => void room.rereadOverdue().catch(missed), times.rereadMs)

  const producer = producerOver(stores.queue)
  const station = stationOver(stores.queue, { id: gateway, leaseMs: times.weatherLeaseMs })
  const weather = watchWeather({ station, times, clock, onLook: () => lanes.refresh() })
  const lanes = createLanes({ capacity: weather.capacity, lingerMs: times.abandonedMs, clock })
  const metrics = createMetrics(room.size)
  measureOldestWaiting(metrics.registry, { lane: lanes.oldestMs, queue: () => oldestMsOver(stores.queue) })
  showWeather(metrics.registry, () => weather.sky().weather)
  showSettings(metrics.registry, stores)
  const { guesses, misuse } = watchMisuse(limitsOf(env), clock.now)
  const pay = createPay({
    ledger,
    producer,
    room,
    lanes,
    weather,
    misuse,
    metrics,
    identity: createIdentity(env.LEDGER_KEY),
    sealKeys: env.SEAL_KEYS,
    times,
    maxWaiting: env.MAX_WAITING,
    firstSeen: createFirstSeen({ now: clock.now, rememberMs: 2 * times.answerByMs }),
    clock,
    log,
  })
  let draining = false
  const app = createApp({
    isLeaving: () => draining,
    pay,
    allowedAccounts: env.ALLOWED_ACCOUNTS,
    currencies: env.CURRENCIES,
    trustProxy: env.TRUST_PROXY,
    guesses,
    metrics,
    traces,
    log,
  })

  const connections = [
    ...watchShards('queue', stores.queue),
    ...watchShards('ledger', stores.ledger),
    ['reply channel', subscriber],
  ] as const
  const heartbeat = startHeartbeat(connections, { everyMs: times.heartbeatMs })
  const problems = () => [...(draining ? ['draining'] : []), ...heartbeat.silent()]
  const operations = await startOperations({
    port: env.OPS_PORT,
    host: env.OPS_HOST,
    problems,
    partly: heartbeat.partly,
    metrics: metrics.registry,
    documents: { '/openapi.json': openapi },
  })
  const files = certificateFilesOf(env)
  const certificate = files && readCertificate(files)
  const server = createDoor({ app, metrics, maxConnections: connectionsFor(env), ...(certificate && { certificate }) })
  let expiresAt = certificate && validUntil(certificate)
  showCertificate(metrics.registry, () => expiresAt)
  const onRenewed = (renewed: Certificate) => {
    expiresAt = validUntil(renewed)
  }
  const stopRenewing = files && certificate && renewCertificate({ server, files, certificate, onRenewed, log })
  await listen(server, { port: env.PORT, host: env.HOST, variable: 'PORT' })
  const requestsInWork = countRequests(server)
  log.info({ event: 'process.ready', port: portOf(server) }, `listening on ${env.HOST}:${portOf(server)}${ENDPOINT}`)

  return {
    async drain() {
      draining = true
      log.info({ event: 'process.draining', count: room.size() }, 'draining')
      // Whoever has not heard yet that it is leaving still sends payments here.
      await sleep(times.leavingMs)
      await closed(server, () => requestsInWork() > 0 || room.size() > 0, times.answerByMs)
      clearInterval(rereading)
      stopRenewing?.()
      stopRenewingKeys()
      await weather.stop()
      heartbeat.stop()
      operations.close()
      operations.closeAllConnections()
      subscriber.disconnect()
      await producer.close()
      await closeLedger()
      await stores.close()
      await traces.close()
      log.info({ event: 'process.drained' }, 'drained')
    },
    flush: () => log.flush(),
  }
}

/** The queue of each shard, and all of them as one. */
function producerOver(queue: ShardConnections): Producer {
  const producers = shardNames(queue.length).map((shard, nth) => createProducer(queue[nth] ?? queue[0], shard))
  return spreadProducers(producers as [Producer, ...Producer[]], (key) => shardOf(key, queue.length))
}

/** Of all shards whose queue answers; rejects where none does. */
async function oldestMsOver(queue: ShardConnections): Promise<number> {
  const asked = shardNames(queue.length).map((shard, nth) => oldestJobMs(queue[nth] ?? queue[0], shard))
  await Promise.any(asked)
  const ages = await Promise.all(asked.map((age) => age.catch(() => 0)))
  return Math.max(...ages)
}

function stationOver(queue: ShardConnections, about: { id: string; leaseMs: number }): WeatherStation {
  const stations = shardNames(queue.length).map((shard, nth) =>
    createWeatherStation({ ...about, redis: queue[nth] ?? queue[0], shard }),
  )
  return spreadStations(stations as [WeatherStation, ...WeatherStation[]])
}

function certificateFilesOf({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: GatewayEnvironment) {
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined
}

/** Beside those that wait, connections may be idle between two requests, or bring one. */
const connectionsFor = ({ MAX_WAITING }: GatewayEnvironment) => MAX_WAITING + Math.max(100, Math.ceil(MAX_WAITING / 4))

const limitsOf = (env: GatewayEnvironment): MisuseLimits => ({
  badCredentials: { limit: env.BAD_CREDENTIALS_LIMIT, windowMs: env.BAD_CREDENTIALS_WINDOW_MS * env.TIME_SCALE },
  cardTesting: {
    declines: env.CARD_TESTING_DECLINES,
    approvedPercent: env.CARD_TESTING_APPROVED_PERCENT,
    windowMs: env.CARD_TESTING_WINDOW_MS * env.TIME_SCALE,
  },
})

const DRAIN_CHECK_MS = 50

/** No new connections, and none at all once no request is in work any more or the limit has passed. (A connection that
 * never sent a request counts as busy for Node, so closing the idle ones is not enough.) */
async function closed(server: Server, isBusy: () => boolean, limitMs: number): Promise<void> {
  const end = new Promise((resolve) => server.close(resolve))
  const giveUpAt = performance.now() + limitMs
  // Once at least: what was let in last may still bring its request.
  do {
    server.closeIdleConnections()
    await sleep(DRAIN_CHECK_MS)
  } while (isBusy() && performance.now() < giveUpAt)
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
