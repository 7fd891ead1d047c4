import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { shardNames } from '@pay/ledger'
import { connectPatiently, connectShards } from '@pay/payment-queue'
import {
  checkProcess,
  createLog,
  createTimes,
  giveUp,
  openLedger,
  openStores,
  openTraces,
  portOf,
  type Running,
  renewSealKeys,
  showSettings,
  startHeartbeat,
  startOperations,
  systemClock,
  type WorkerEnvironment,
  watchShards,
} from '@pay/service'
import { createCircuit } from './circuit.ts'
import { createExchange } from './exchange.ts'
import { createIdsAhead } from './ids-ahead.ts'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { createPayconex } from './payconex.ts'
import { placesIn, type WorkInShard, workInShard } from './shard.ts'
import { showLedger } from './show-ledger.ts'
import { showPlaces } from './show-places.ts'
import { timePayconex } from './time-payconex.ts'

/** One worker process, at work when this resolves.
 *
 *  1 connect and check both Redis servers
 *  2 in each shard: show a sign of life in the ledger, and keep showing it; take jobs, and sweep
 *  drain: take no more jobs -> hear PayConex out (PAYCONEX_TIMEOUT) on what was sent; what is only being asked about is left
 *         to another worker at once -> give up the lease -> close
 */
export async function startWorker(env: WorkerEnvironment): Promise<Running> {
  const log = createLog({ name: 'worker', level: env.LOG_LEVEL, pretty: env.LOG_PRETTY })
  checkProcess(env, log)
  const traces = await openTraces(env, { name: 'worker', log })
  const times = createTimes(env)
  const stores = await openStores(env, log, giveUp, { role: 'worker' })
  const consumerRedis = connectShards(connectPatiently, {
    url: env.QUEUE_REDIS_URL,
    caFile: env.CA_FILE,
    shards: shardNames(env.SHARDS),
  })
  const clock = systemClock
  const worker = randomBytes(9).toString('base64url')
  const metrics = createMetrics()
  showSettings(metrics.registry, stores)
  showPlaces(metrics.registry, { all: env.WORKER_CONCURRENCY, busy: () => shards.map(({ busy }) => busy()) })

  const { ledgers, close: closeLedger } = await openLedger({ env, stores, times, log, onWrong: giveUp })
  const stopRenewingKeys = renewSealKeys({ env, ledger: stores.ledger, everyMs: times.renewKeysMs, log })

  const { exchange, close: closeExchange } = createExchange({
    connectTimeoutMs: times.connectTimeoutMs,
    ca: env.CA_FILE && readFileSync(env.CA_FILE, 'utf8'),
    proxyUrl: env.PAYCONEX_PROXY_URL,
  })
  let shards: readonly WorkInShard[] = []
  const circuit = createCircuit({
    exchange,
    connect(watched) {
      const client = createPayconex({
        url: env.PAYCONEX_URL,
        exchange: watched,
        timeoutMs: times.payconexTimeoutMs,
        questionTimeoutMs: times.questionTimeoutMs,
      })
      return timePayconex(client, { clock, metrics })
    },
    times,
    clock,
    onChange(isOpen) {
      if (isOpen) log.warn({ event: 'payconex.away' }, 'PayConex is away')
      else log.warn({ event: 'payconex.back' }, 'PayConex is back')
      metrics.circuit(isOpen)
      if (isOpen) ids.forgetAll()
      for (const { tellWeather } of shards) tellWeather()
    },
  })
  const draining = new AbortController()
  const ids = createIdsAhead({
    payconex: circuit.payconex,
    most: Math.min(env.IDS_AHEAD, env.WORKER_CONCURRENCY),
    hasAnsweredWithin: circuit.hasAnsweredWithin,
    times,
    draining: draining.signal,
    clock,
    metrics,
    log,
  })
  const tools = {
    worker,
    payconex: ids.payconex,
    ids,
    circuit,
    reserve: env.PAYCONEX_RESERVE,
    reversesLate: env.LATE_APPROVAL === 'reverse',
    sealKeys: env.SEAL_KEYS,
    mapping: { extraParameters: env.EXTRA_PARAMETERS, defaultParameters: env.DEFAULT_PARAMETERS },
    owners: createOwners(worker),
    draining: draining.signal,
    times,
    clock,
    metrics,
    show: showLedger(metrics.registry),
    traces,
    log,
  }
  shards = await Promise.all(
    shardNames(env.SHARDS).map((name, nth) =>
      workInShard(
        {
          name,
          ledger: ledgers[nth] ?? ledgers[0],
          queue: stores.queue[nth] ?? stores.queue[0],
          consumerRedis: consumerRedis[nth] ?? consumerRedis[0],
          concurrency: placesIn(nth, env.SHARDS, env.WORKER_CONCURRENCY),
        },
        tools,
      ),
    ),
  )

  // BullMQ blocks on a duplicate of the consumer's connection, which it watches by itself; this one is never blocked.
  const connections = [
    ...watchShards('queue', consumerRedis),
    ...watchShards('queue', stores.queue),
    ...watchShards('ledger', stores.ledger),
  ]
  const heartbeat = startHeartbeat(connections, { everyMs: times.heartbeatMs })
  const problems = () => [...(draining.signal.aborted ? ['draining'] : []), ...heartbeat.silent()]
  const operations = await startOperations({
    port: env.OPS_PORT,
    host: env.OPS_HOST,
    problems,
    partly: heartbeat.partly,
    metrics: metrics.registry,
  })
  log.info({ event: 'process.ready', port: portOf(operations) }, 'at work')

  return {
    async drain() {
      draining.abort()
      log.info({ event: 'process.draining' }, 'draining')
      await Promise.all(shards.map(({ stop }) => stop()))
      circuit.stop()
      await Promise.all(shards.map(({ leave }) => leave()))
      heartbeat.stop()
      closeExchange()
      operations.close()
      operations.closeAllConnections()
      for (const redis of new Set(consumerRedis)) redis.disconnect()
      stopRenewingKeys()
      await closeLedger()
      await stores.close()
      await traces.close()
      log.info({ event: 'process.drained' }, 'drained')
    },
    flush: () => log.flush(),
  }
}
