import { redisUrls, stackEnvironment } from './environment.ts'
import { createFleet, type Fleet, type FleetOptions } from './fleet.ts'
import { type Foundation, type FoundationOptions, startFoundation } from './foundation.ts'
import type { Environment } from './service.ts'

export { BRIDGE_PATH, type Gateway, type Worker } from './fleet.ts'
export type { Simulator } from './foundation.ts'

export type StackOptions = FoundationOptions &
  FleetOptions & {
    onLog?: (name: string, line: string) => void
    /** Whether `logs` is filled; true by default. A stack that runs for days should not. */
    keepLogs?: boolean
  }

export type Stack = Pick<Foundation, 'queue' | 'ledger' | 'simulator'> &
  Pick<Fleet, 'gateways' | 'workers' | 'addGateway' | 'addWorker'> & {
    /** What gateways and workers were given in common, keys included; the URLs are of somebody who may do everything. */
    env: Environment
    /** Every line any process wrote, as it was written. */
    logs: string[]
    /** Ends everything and removes what was made; each gateway and worker gets `graceMs` (10 s) to drain. Safe to call twice. */
    stop: (graceMs?: number) => Promise<void>
  }

/** Runs the whole system as processes, each configured by its environment alone:
 * 1. two Redis servers and the simulator, side by side
 * 2. gateways and workers, side by side, each waited for until it says that it is ready
 * 3. until `stop`, which ends them in the order in which they need each other: gateways drain, then workers, then the rest.
 * When one does not start, the others are stopped and the error carries what it wrote last. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const logs: string[] = []
  const log = (name: string) => (line: string) => {
    if (options.keepLogs !== false) logs.push(line)
    options.onLog?.(name, line)
  }
  const foundation = await startFoundation(options, log)
  const env = stackEnvironment(foundation, options.env)
  const envOf = (app: 'gateway' | 'worker') => ({ ...env, ...redisUrls(app, foundation), ...options.env })
  const fleet = createFleet({ options, envOf, log })
  const stop = async (graceMs?: number) => {
    await fleet.stop(graceMs)
    await foundation.stop(graceMs)
  }
  try {
    await fleet.start()
  } catch (error) {
    await stop(0)
    throw error
  }
  const { gateways, workers, addGateway, addWorker } = fleet
  const { queue, ledger, simulator } = foundation
  return { gateways, workers, addGateway, addWorker, queue, ledger, simulator, env, logs, stop }
}
