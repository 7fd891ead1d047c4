import { openProxy, type TcpProxy } from '../scripts/chaos/proxy.ts'
import type { Environment } from '../scripts/stack/service.ts'
import type { Gateway, Stack, Worker } from '../scripts/stack/stack.ts'

/** The ways of one process to the two Redis servers. They can fail without touching anybody else's. */
export type Paths = { queue: TcpProxy; ledger: TcpProxy; heal: () => Promise<void>; close: () => Promise<void> }

/** Starts one more process, which reaches both servers through paths of its own. */
export const addGatewayWithPaths = async (
  stack: Stack,
  env: Environment = {},
): Promise<{ gateway: Gateway } & Paths> => {
  const paths = await openPaths(stack, 'gateway')
  return { ...paths, gateway: await stack.addGateway({ env: { ...urlsOf(paths), ...env } }) }
}

export const addWorkerWithPaths = async (stack: Stack, env: Environment = {}): Promise<{ worker: Worker } & Paths> => {
  const paths = await openPaths(stack, 'worker')
  return { ...paths, worker: await stack.addWorker({ env: { ...urlsOf(paths), ...env } }) }
}

const urlsOf = ({ queue, ledger }: Paths): Environment => ({ QUEUE_REDIS_URL: queue.url, LEDGER_REDIS_URL: ledger.url })

async function openPaths(
  { queue: { urls: to }, ledger: { urls: toLedger } }: Stack,
  app: 'gateway' | 'worker',
): Promise<Paths> {
  const [queue, ledger] = await Promise.all([openProxy({ to: to[app] }), openProxy({ to: toLedger[app] })])
  return {
    queue,
    ledger,
    heal: async () => void (await Promise.all([queue.heal(), ledger.heal()])),
    close: async () => void (await Promise.all([queue.close(), ledger.close()])),
  }
}
