import type { Child } from '../process/child.ts'
import { onPort } from '../process/free-port.ts'
import { allEnded, together } from '../process/together.ts'
import { type Environment, type Log, startService } from './service.ts'

/** Where Twilio posts to, on every gateway. */
export const BRIDGE_PATH = '/api/v4/payments/twilio-bridge'

export type FleetOptions = {
  /** How many; 1 by default. */
  gateways?: number
  /** How many; 2 by default. */
  workers?: number
  /** Free ones by default; the n-th port belongs to the n-th process. */
  ports?: { gateways?: number[]; gatewayOps?: number[]; workerOps?: number[] }
  gatewayEnv?: Environment
  workerEnv?: Environment
}

/** `kill('SIGKILL')` is a crash, SIGSTOP and SIGCONT a pause; `stop` drains it as a deployment would. */
export type Worker = Child & {
  /** The root of `/livez`, `/readyz` and `/metrics`. */
  opsUrl: string
}

export type Gateway = Worker & {
  /** Its root, such as `http://127.0.0.1:8080`. */
  url: string
  /** Its root and the path of the bridge. */
  endpoint: string
}

export type AddWorker = { opsPort?: number | undefined; env?: Environment }
export type AddGateway = AddWorker & { port?: number | undefined }

export type Fleet = {
  gateways: Gateway[]
  workers: Worker[]
  addGateway: (options?: AddGateway) => Promise<Gateway>
  addWorker: (options?: AddWorker) => Promise<Worker>
  start: () => Promise<void>
  stop: (graceMs?: number) => Promise<void>
}

type Parts = { options: FleetOptions; envOf: (app: 'gateway' | 'worker') => Environment; log: Log }

/** The gateways and workers of a stack: as many as wanted at the start, any number added later. When `start` fails, `stop`
 * ends those that did start. */
export function createFleet({ options, envOf, log }: Parts): Fleet {
  const { ports = {}, gatewayEnv, workerEnv } = options
  const gateways = createCrew((number, added: AddGateway) =>
    launchGateway({
      ...added,
      name: `gateway-${number}`,
      env: { ...envOf('gateway'), ...gatewayEnv, ...added.env },
      log,
    }),
  )
  const workers = createCrew((number, added: AddWorker) =>
    launchWorker({ ...added, name: `worker-${number}`, env: { ...envOf('worker'), ...workerEnv, ...added.env }, log }),
  )
  const firstGateways = upTo(options.gateways ?? 1, (nth) => ({
    port: ports.gateways?.[nth],
    opsPort: ports.gatewayOps?.[nth],
  }))
  const firstWorkers = upTo(options.workers ?? 2, (nth) => ({ opsPort: ports.workerOps?.[nth] }))
  return {
    gateways: gateways.members,
    workers: workers.members,
    addGateway: gateways.add,
    addWorker: workers.add,
    start: async () => void (await allEnded([gateways.addAll(firstGateways), workers.addAll(firstWorkers)])),
    stop: async (graceMs) => {
      await gateways.stop(graceMs)
      await workers.stop(graceMs)
    },
  }
}

/** Processes of one kind, numbered from 1 and listed in that order. */
function createCrew<Member extends Child, Options extends object>(
  launch: (number: number, options: Options) => Promise<Member>,
) {
  const members: Member[] = []
  let launched = 0
  const addAll = async (all: Options[]) => {
    const added = await together(all.map((options) => launch(++launched, options)))
    members.push(...added)
    return added
  }
  return {
    members,
    addAll,
    add: async (options = {} as Options) => {
      const [added] = await addAll([options])
      return added as Member
    },
    stop: (graceMs?: number) => Promise.all(members.map((member) => member.stop(graceMs))),
  }
}

type Launch = AddGateway & { name: string; env: Environment; log: Log }

const launchGateway = ({ name, env, log, ...ports }: Launch): Promise<Gateway> =>
  onPort(ports.port, async (port) => {
    const url = loopback(port)
    const own = { ...env, PORT: String(port) }
    const service = await launch({ name, app: 'gateway', env: own, log, opsPort: ports.opsPort })
    return { ...service, url, endpoint: `${url}${BRIDGE_PATH}` }
  })

const launchWorker = (how: Launch): Promise<Worker> => launch({ ...how, app: 'worker' })

const launch = ({ name, app, env, log, ...ports }: Launch & { app: 'gateway' | 'worker' }): Promise<Worker> =>
  onPort(ports.opsPort, async (opsPort) => {
    const opsUrl = loopback(opsPort)
    const own = { ...env, OPS_PORT: String(opsPort) }
    const child = await startService({ name, app, env: own, readyUrl: `${opsUrl}/readyz`, onLine: log(name) })
    return { ...child, opsUrl }
  })

const loopback = (port: number) => `http://127.0.0.1:${port}`

const upTo = <Item>(count: number, make: (nth: number) => Item) => Array.from({ length: count }, (_, nth) => make(nth))
