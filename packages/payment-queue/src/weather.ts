import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { z } from 'zod'

/** What a process says of itself. `meanServiceMs` is how long one job takes it at present; absent before its first. */
export type Report =
  | { role: 'gateway' }
  | { role: 'worker'; concurrency: number; busy: number; isCircuitOpen: boolean; meanServiceMs?: number | undefined }

/** How things stand: who is there, what they can do, and how much waits for them. */
export type Weather = {
  gateways: number
  workers: number
  /** Jobs that can be in work at once. A worker whose circuit is open counts only where all are, for it takes no jobs. */
  concurrency: number
  busy: number
  /** 0: not known yet. */
  meanServiceMs: number
  /** There are workers, and none of them can reach PayConex. */
  allCircuitsOpen: boolean
  waitingJobs: number
}

export type WeatherOptions = {
  redis: Redis
  /** Names this process. */
  id: string
  /** For how long a report counts, by the server's clock. */
  leaseMs: number
  shard?: string
}

export type WeatherStation = ReturnType<typeof createWeatherStation>

/** Where gateways and workers tell each other how they are. On the queue's Redis, because it is about the queue and nothing
 * is lost when it forgets. One command both says and hears; whoever falls silent is forgotten by himself. Rejects while
 * the queue is away. */
export function createWeatherStation({ redis, id, leaseMs, shard = 's0' }: WeatherOptions) {
  const keys = [`{${shard}}:weather`, `{${shard}}:payments:wait`]
  const script = readFileSync(new URL('./scripts/weather.lua', import.meta.url), 'utf8')
  redis.defineCommand('queue_weather', { numberOfKeys: keys.length, lua: script })
  const tell = (redis as unknown as { queue_weather: (...args: unknown[]) => Promise<unknown> }).queue_weather.bind(
    redis,
  )
  const exchange = async (report: string) => weatherOf(answer.parse(await tell(...keys, id, report, leaseMs)))
  return {
    report: (report: Report): Promise<Weather> => exchange(JSON.stringify(report)),
    /** Takes the last report back: this process ends. */
    leave: async (): Promise<void> => void (await exchange('')),
  }
}

/** The weather in one shard for somebody who only looks: says nothing and runs no script. */
export async function lookAtWeather({ redis, leaseMs, shard = 's0' }: Omit<WeatherOptions, 'id'>): Promise<Weather> {
  const [[seconds, micros], reports, waiting] = await Promise.all([
    redis.time(),
    redis.hgetall(`{${shard}}:weather`),
    redis.llen(`{${shard}}:payments:wait`),
  ])
  const now = Number(seconds) * 1000 + Number(micros) / 1000
  const valid = Object.values(reports).flatMap((text) => {
    const [, expires, said] = /^(\d+) (.*)$/.exec(text) ?? []
    const left = Number(expires) - now
    return said !== undefined && left > 0 && left <= leaseMs ? [said] : []
  })
  return weatherOf([waiting, valid])
}

/** The stations of all shards as one. Payments spread evenly over them, so what waits in all of them, for all places there are, is
 * about what waits for one of them. A shard that is away is left out; rejects when all are. */
export function spreadStations(stations: readonly [WeatherStation, ...WeatherStation[]]): WeatherStation {
  const [only] = stations
  if (stations.length === 1) return only
  return {
    async report(report) {
      const told = await Promise.allSettled(stations.map((station) => station.report(report)))
      const known = told.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      if (known.length === 0) throw new Error('no shard of the queue answers')
      return weatherOver(known)
    },
    leave: async () => void (await Promise.all(stations.map((station) => station.leave()))),
  }
}

/** A worker or gateway that is seen in many shards is one; what it can do is counted shard by shard. */
export function weatherOver(shards: readonly Weather[]): Weather {
  const concurrency = sum(shards, (each) => each.concurrency)
  const known = shards.filter(({ meanServiceMs }) => meanServiceMs > 0)
  const weight = sum(known, (each) => each.concurrency)
  return {
    gateways: Math.max(...shards.map(({ gateways }) => gateways)),
    workers: Math.max(...shards.map(({ workers }) => workers)),
    concurrency,
    busy: sum(shards, ({ busy }) => busy),
    meanServiceMs: weight === 0 ? 0 : sum(known, (each) => each.concurrency * each.meanServiceMs) / weight,
    allCircuitsOpen: shards.every(({ allCircuitsOpen }) => allCircuitsOpen),
    waitingJobs: sum(shards, ({ waitingJobs }) => waitingJobs),
  }
}

const answer = z.tuple([z.number(), z.array(z.string())])

const count = z.number().nonnegative()

/** The door: another version of this program may say more, or something else. */
const report = z.discriminatedUnion('role', [
  z.object({ role: z.literal('gateway') }),
  z.object({
    role: z.literal('worker'),
    concurrency: count,
    busy: count,
    isCircuitOpen: z.boolean(),
    meanServiceMs: count.optional(),
  }),
])

type WorkerReport = Extract<z.output<typeof report>, { role: 'worker' }>

/** One weather out of many reports. What cannot be read is left out. */
export function weatherOf([waitingJobs, texts]: readonly [number, readonly string[]]): Weather {
  const reports = texts.flatMap((text) => report.safeParse(jsonOf(text)).data ?? [])
  const workers = reports.filter((each) => each.role === 'worker')
  const able = workers.filter(({ isCircuitOpen }) => !isCircuitOpen)
  const counted = able.length > 0 ? able : workers
  return {
    gateways: reports.length - workers.length,
    workers: workers.length,
    concurrency: sum(counted, ({ concurrency }) => concurrency),
    busy: sum(counted, ({ busy }) => busy),
    meanServiceMs: meanOf(counted),
    allCircuitsOpen: workers.length > 0 && able.length === 0,
    waitingJobs,
  }
}

/** Weighted by how much each can do. */
function meanOf(workers: readonly WorkerReport[]): number {
  const known = workers.filter(({ meanServiceMs }) => meanServiceMs !== undefined)
  const weight = sum(known, ({ concurrency }) => concurrency)
  return weight === 0 ? 0 : sum(known, ({ concurrency, meanServiceMs = 0 }) => concurrency * meanServiceMs) / weight
}

const sum = <T>(all: readonly T[], of: (each: T) => number) => all.reduce((total, each) => total + of(each), 0)

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
