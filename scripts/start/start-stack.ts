import type { Environment } from '../stack/service.ts'
import { type Stack, type StackOptions, startStack } from '../stack/stack.ts'
import { choosePort } from './choose-port.ts'
import { localKeys } from './local-keys.ts'

export type StartOptions = { env: Environment; onLog: (name: string, line: string) => void }

/** The stack of `npm start`: on the usual ports, with whatever the environment sets. */
export async function startUsualStack({ env, onLog }: StartOptions): Promise<Stack> {
  return startStack({
    ports: await usualPorts(env),
    redis: { queueUrl: env.QUEUE_REDIS_URL, ledgerUrl: env.LEDGER_REDIS_URL },
    env: await withKeys(env),
    gatewayEnv: { HOST: env.HOST ?? '0.0.0.0' },
    onLog,
    keepLogs: false,
  })
}

/** One after the other: two that are taken must not be given the same free one. */
async function usualPorts({ PORT, OPS_PORT }: Environment): Promise<NonNullable<StackOptions['ports']>> {
  const gateway = await choosePort({ purpose: 'the gateway', variable: 'PORT', value: PORT, fallback: 8080 })
  const operations = { purpose: "the gateway's operations", variable: 'OPS_PORT', value: OPS_PORT, fallback: 9090 }
  const gatewayOps = await choosePort(operations)
  const worker1 = await choosePort({ purpose: 'worker 1', fallback: 9091 })
  const worker2 = await choosePort({ purpose: 'worker 2', fallback: 9092 })
  const simulator = await choosePort({ purpose: 'the simulator', fallback: 8081 })
  return { gateways: [gateway], gatewayOps: [gatewayOps], workerOps: [worker1, worker2], simulator }
}

/** A ledger that outlives us needs keys that do, too: it remembers payments under names made with one, and keeps credentials sealed
 * under the other. */
async function withKeys(env: Environment): Promise<Environment> {
  return env.LEDGER_REDIS_URL ? { ...env, ...(await localKeys(env)) } : env
}
