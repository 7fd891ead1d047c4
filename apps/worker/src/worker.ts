import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createLedger } from '@pay/ledger'
import { connectPatiently, createConsumer, createSealedPayments } from '@pay/payment-queue'
import {
  createLog,
  createTimes,
  giveUp,
  openStores,
  portOf,
  type Running,
  reasonOf,
  startHeartbeat,
  startOperations,
} from '@pay/service'
import { createAdoptPayment } from './adopt-payment.ts'
import { createBooks } from './books.ts'
import type { WorkerEnvironment } from './environment.ts'
import { createExchange } from './exchange.ts'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { createPayconex } from './payconex.ts'
import { createProcessPayment } from './process-payment.ts'
import { createSettle } from './settle.ts'
import { startSweeper } from './sweeper.ts'

/** One worker process, at work when this resolves.
 *
 *  1 connect and check both Redis servers
 *  2 show a sign of life in the ledger, and keep showing it
 *  3 take jobs, and sweep
 *  drain: take no more jobs -> hear PayConex out (PAYCONEX_TIMEOUT) on what was sent; what is only being asked about is left
 *         to another worker at once -> give up the lease -> close
 */
export async function startWorker(env: WorkerEnvironment): Promise<Running> {
  const log = createLog({ name: 'worker', level: env.LOG_LEVEL, pretty: env.LOG_PRETTY })
  const times = createTimes(env)
  const stores = await openStores(env, log, giveUp)
  const consumerRedis = connectPatiently({ url: env.QUEUE_REDIS_URL, caFile: env.CA_FILE })
  const now = () => performance.now()
  const worker = randomUUID()
  const metrics = createMetrics()

  const ledger = createLedger({ redis: stores.ledger, ...times })
  await ledger.renewLease(worker)
  const silent = (error: unknown) => log.warn({ step: 'lease', reason: reasonOf(error) }, 'could not renew the lease')
  const living = setInterval(() => void ledger.renewLease(worker).catch(silent), times.leaseRenewMs)

  const { exchange, close: closeExchange } = createExchange({
    connectTimeoutMs: times.connectTimeoutMs,
    ca: env.CA_FILE && readFileSync(env.CA_FILE, 'utf8'),
  })
  const payconex = createPayconex({
    url: env.PAYCONEX_URL,
    exchange,
    timeoutMs: times.payconexTimeoutMs,
    questionTimeoutMs: times.questionTimeoutMs,
  })
  const draining = new AbortController()
  const sealed = createSealedPayments(stores.queue)
  const owners = createOwners(worker)
  const shared = { ledger, sealKeys: env.SEAL_KEYS, times, owners, now, metrics, log }
  const settle = createSettle({ ...shared, payconex, draining: draining.signal })
  const books = createBooks({ ...shared, sealed })
  const adopt = createAdoptPayment({ ...shared, books, settle })
  const processPayment = createProcessPayment({
    ...shared,
    sealed,
    payconex,
    settle,
    books,
    adopt,
    reserve: env.PAYCONEX_RESERVE,
    mapping: { extraParameters: env.EXTRA_PARAMETERS, defaultParameters: env.DEFAULT_PARAMETERS },
  })
  const consumer = createConsumer({
    redis: consumerRedis,
    concurrency: env.WORKER_CONCURRENCY,
    lockMs: times.jobLockMs,
    process: processPayment,
    onError: (error) => log.warn({ step: 'job', reason: reasonOf(error) }, 'the queue reports an error'),
  })
  const sweeper = startSweeper({ ...shared, books, adopt, worker })

  // BullMQ blocks on a duplicate of the consumer's connection, which it watches by itself; this one is never blocked.
  const connections = [
    ['queue', consumerRedis],
    ['queue', stores.queue],
    ['ledger', stores.ledger],
  ] as const
  const heartbeat = startHeartbeat(connections, { everyMs: times.heartbeatMs })
  const problems = () => [...(draining.signal.aborted ? ['draining'] : []), ...heartbeat.silent()]
  const operations = await startOperations({
    port: env.OPS_PORT,
    host: env.OPS_HOST,
    problems,
    metrics: metrics.registry,
  })
  log.info({ port: portOf(operations) }, 'at work')

  return {
    async drain() {
      draining.abort()
      log.info({}, 'draining')
      await Promise.all([consumer.close(), sweeper.stop()])
      clearInterval(living)
      await ledger.dropLease(worker).catch(silent)
      heartbeat.stop()
      closeExchange()
      operations.close()
      operations.closeAllConnections()
      consumerRedis.disconnect()
      await stores.close()
      log.info({}, 'drained')
    },
    flush: () => log.flush(),
  }
}
