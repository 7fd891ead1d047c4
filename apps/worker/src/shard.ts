import type { Ledger } from '@pay/ledger'
import {
  createConsumer,
  createSealedPayments,
  createWeatherStation,
  type Job,
  type ShardConnections,
} from '@pay/payment-queue'
import { reasonOf, type Traces } from '@pay/service'
import { type AdoptDeps, createAdoptPayment } from './adopt-payment.ts'
import { type BooksDeps, createBooks } from './books.ts'
import type { Circuit } from './circuit.ts'
import { createProcessPayment, type ProcessDeps } from './process-payment.ts'
import { reportWeather } from './report-weather.ts'
import { createReversePayment, type ReverseDeps } from './reverse-payment.ts'
import { createServiceMeter } from './service-meter.ts'
import { createSettle, type SettleDeps } from './settle.ts'
import { createSteadyClock } from './steady-clock.ts'
import { type SurveyDeps, surveyLedger } from './survey-ledger.ts'
import { createSweeper } from './sweeper.ts'

/** One shard: where its queue and its ledger are, and how many of its payments may be in work here at once. */
export type Shard = {
  name: string
  ledger: Ledger
  queue: ShardConnections[number]
  consumerRedis: ShardConnections[number]
  concurrency: number
}

/** What a worker has once, for all shards. */
export type Tools = Omit<
  BooksDeps & SettleDeps & AdoptDeps & ReverseDeps & ProcessDeps,
  'ledger' | 'sealed' | 'books' | 'settle' | 'adopt' | 'steady' | 'onLocked'
> & { worker: string; circuit: Pick<Circuit, 'isOpen'>; show: SurveyDeps['show']; traces: Traces }

/** A worker's work in one shard, from its lease there on: jobs, what they lead to, and the sweep. Whatever happens to another shard's
 * servers, this one knows nothing of it. Each server has a clock of its own, so each shard is watched by one.
 *
 *  stop   take no more jobs -> hear PayConex out on what was sent
 *  leave  give up the lease */
export async function workInShard({ name: shard, ledger, queue, consumerRedis, concurrency }: Shard, tools: Tools) {
  const { worker, circuit, times, clock, metrics, traces, log } = tools
  const steady = createSteadyClock({ now: clock.now, toleranceMs: times.clockToleranceMs })
  await live()
  const silent = (error: unknown) => {
    metrics.ledgerFailed('lease')
    log.warn({ event: 'lease.not_renewed', reason: reasonOf(error) }, 'could not renew the lease')
  }
  const living = setInterval(() => void live().catch(silent), times.leaseRenewMs)

  async function live(): Promise<void> {
    const askedAt = clock.now()
    steady.observe(await ledger.renewLease(worker), askedAt)
  }

  const shared = { ...tools, ledger, sealed: createSealedPayments(queue, shard) }
  const settle = createSettle(shared)
  const books = createBooks(shared)
  const adopt = createAdoptPayment({ ...shared, books, settle, steady, onLocked: () => sweeper.rest() })
  const reversal = createReversePayment({ ...shared, books, adopt })
  const processPayment = createProcessPayment({ ...shared, settle, books, adopt })
  const meter = createServiceMeter(clock.now)

  /** Its part of the trace in which a gateway put it on the queue. A job is one payment, so the trace goes on: it is no link. */
  async function traced(job: Job): Promise<void> {
    const { key: payment, attempt, traceparent: parent } = job
    const span = traces.begin({ name: 'process', kind: 'consumer', fields: { payment, attempt }, parent })
    span.leads(job)
    await processPayment(job, span).finally(() => span.end())
  }

  const consumer = createConsumer({
    redis: consumerRedis,
    shard,
    concurrency,
    lockMs: times.jobLockMs,
    process: meter.timed(traced),
    onError: (error) => log.warn({ event: 'queue.error', reason: reasonOf(error) }, 'the queue reports an error'),
  })
  const weather = reportWeather({
    station: createWeatherStation({ redis: queue, id: worker, leaseMs: times.weatherLeaseMs, shard }),
    everyMs: times.weatherReportMs,
    report: () => ({
      role: 'worker',
      concurrency,
      busy: meter.busy(),
      meanServiceMs: meter.meanServiceMs(),
      isCircuitOpen: circuit.isOpen(),
    }),
    // Who cannot reach PayConex must not draw the jobs from those who can.
    onWeather: ({ allCircuitsOpen }) => consumer.rest(circuit.isOpen() && !allCircuitsOpen),
  })
  const sweeper = createSweeper({ ...shared, books, adopt, reversal })
  const sweeping = setInterval(() => void sweeper.sweep(), times.sweepMs)
  const stopSurvey = surveyLedger({ ...shared, shard })

  return {
    tellWeather: weather.tell,
    busy: meter.busy,
    async stop(): Promise<void> {
      clearInterval(sweeping)
      stopSurvey()
      await weather.stop()
      await Promise.all([consumer.close(), sweeper.idle()])
    },
    async leave(): Promise<void> {
      clearInterval(living)
      await ledger.dropLease(worker).catch(silent)
    },
  }
}

export type WorkInShard = Awaited<ReturnType<typeof workInShard>>

/** The part of a process' places that the n-th of so many shards has: payments spread evenly, and so do the places. */
export const placesIn = (nth: number, shards: number, concurrency: number): number =>
  Math.floor((concurrency + shards - 1 - nth) / shards)
