import { randomBytes } from 'node:crypto'
import { freePort } from '../process/free-port.ts'
import { together } from '../process/together.ts'
import type { RunningRedis, StartRedis } from '../redis/redis.ts'
import { BRIDGE_PATH } from '../stack/fleet.ts'
import { startFoundation } from '../stack/foundation.ts'
import type { Environment, Log } from '../stack/service.ts'
import { type Member, superviseMember } from './member.ts'
import { openProxy, type TcpProxy } from './proxy.ts'
import { createSimulatorControl, type SimulatorControl } from './simulator.ts'

/** What gateways and workers depend on, and how each reaches it: every process has a path of its own, which can fail alone. */
export type Link = 'queue' | 'ledger' | 'payconex'

export type Player = Member & { links: Partial<Record<Link, TcpProxy>> }
export type Gateway = Player & { endpoint: string }

export type Stage = {
  gateways: Gateway[]
  workers: Player[]
  queue: RunningRedis
  ledger: RunningRedis
  simulator: SimulatorControl
  env: Environment
  /** All up, and nothing in the way. */
  heal: () => Promise<void>
  failures: () => string[]
  stop: () => Promise<void>
}

export type StageOptions = {
  timeScale: number
  absenceMarginMs: number
  late: 'report' | 'reverse'
  logLevel: string
  log: Log
  seed: number
  /** More settings for gateways and workers. */
  settings?: Environment | undefined
  /** Where the source of gateways and workers is. */
  source?: string | undefined
  startRedis?: StartRedis | undefined
  gateways?: number
  workers?: number
}

/** Two Redis servers, the simulator, gateways and workers, and a proxy on each path between them; all are up when this
 * resolves. Callers reach the gateways without a proxy: a caller's own connection has the whole world's faults in it
 * already, since he hangs up and finds gateways killed. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { log, startRedis } = options
  const foundation = await startFoundation({ ...(startRedis && { startRedis }) }, log)
  const { queue, ledger, simulator } = foundation
  const payconex = simulator?.url ?? ''
  const targetsOf = (app: 'gateway' | 'worker') => ({ queue: queue.urls[app], ledger: ledger.urls[app], payconex })
  const env = environment(options, payconex)
  const gateways = await together(
    names('gateway', options.gateways ?? 2).map((name) =>
      openGateway({ name, env, targets: targetsOf('gateway'), options }),
    ),
  )
  const workers = await together(
    names('worker', options.workers ?? 3).map((name) =>
      openWorker({ name, env, targets: targetsOf('worker'), options }),
    ),
  )
  const players: readonly Player[] = [...gateways, ...workers]

  const stop = async () => {
    await Promise.all(players.map((player) => player.stop(DRAIN_MS)))
    await Promise.all(players.flatMap(({ links }) => Object.values(links)).map((link) => link.close()))
    await foundation.stop(DRAIN_MS)
  }
  const heal = async () => {
    await Promise.all(players.flatMap(({ links }) => Object.values(links)).map((link) => link.heal()))
    for (const player of players) player.release()
    await Promise.all(players.map((player) => player.up()))
  }
  await heal().catch(async (error) => {
    await stop()
    throw error
  })
  return {
    gateways,
    workers,
    queue,
    ledger,
    simulator: createSimulatorControl(payconex),
    env,
    heal,
    failures: () => players.flatMap(({ name, failures }) => failures().map((line) => `${name} ${line}`)),
    stop,
  }
}

const DRAIN_MS = 8_000

const names = (kind: string, count: number) => Array.from({ length: count }, (_, nth) => `${kind}-${nth + 1}`)

type Targets = Record<Link, string>

function environment(options: StageOptions, payconex: string): Environment {
  const { timeScale, absenceMarginMs, late, logLevel, settings } = options
  return {
    HOST: '127.0.0.1',
    PAYCONEX_URL: payconex,
    SEAL_KEYS: `k1:${freshKey()}`,
    LEDGER_KEY: freshKey(),
    TIME_SCALE: String(timeScale),
    ABSENCE_MARGIN_MS: String(Math.round(absenceMarginMs / timeScale)),
    LATE_APPROVAL: late,
    LOG_LEVEL: logLevel,
    ...settings,
  }
}

const freshKey = () => randomBytes(32).toString('base64')

type Opening = { name: string; env: Environment; targets: Targets; options: StageOptions }

async function openGateway(opening: Opening): Promise<Gateway> {
  const port = await freePort()
  const player = await openPlayer('gateway', opening, { PORT: String(port) })
  return { ...player, endpoint: `http://127.0.0.1:${port}${BRIDGE_PATH}` }
}

const openWorker = (opening: Opening): Promise<Player> => openPlayer('worker', opening, {})

async function openPlayer(app: 'gateway' | 'worker', { name, env, targets, options }: Opening, own: Environment) {
  const { seed, source, log } = options
  const [queue, ledger] = await Promise.all([
    openProxy({ to: targets.queue, seed }),
    openProxy({ to: targets.ledger, seed }),
  ])
  const payconex = app === 'worker' ? { payconex: await openProxy({ to: targets.payconex, seed }) } : {}
  const links = { queue, ledger, ...payconex }
  const opsPort = await freePort()
  const member = superviseMember({
    name,
    app,
    env: { ...env, ...addresses(links), ...own, OPS_PORT: String(opsPort) },
    readyUrl: `http://127.0.0.1:${opsPort}/readyz`,
    onLine: log(name),
    ...(source !== undefined && { folder: source }),
  })
  return { ...member, links }
}

const addresses = ({ queue, ledger, payconex }: Partial<Record<Link, TcpProxy>>): Environment => ({
  ...(queue && { QUEUE_REDIS_URL: queue.url }),
  ...(ledger && { LEDGER_REDIS_URL: ledger.url }),
  ...(payconex && { PAYCONEX_URL: payconex.url }),
})
