import {
  type GatewayEnvironment,
  gatewayVariables,
  readEnvironment,
  type WorkerEnvironment,
  workerVariables,
} from '@pay/service'
import { z } from 'zod'

type Environment = Readonly<Record<string, string | undefined>>
type All = Omit<GatewayEnvironment & WorkerEnvironment, 'OPS_PORT'>
type Required = 'QUEUE_REDIS_URL' | 'LEDGER_REDIS_URL' | 'SEAL_KEYS' | 'LEDGER_KEY' | 'PAYCONEX_URL'

/** What can be read of an environment, also where other parts of it are wrong: those have their defaults, and what has none is
 * missing. So that one misspelt number does not keep everything else from being looked at. */
export type Settings = Omit<All, Required> & Partial<Pick<All, Required>>

const { OPS_PORT: _, ...shape } = { ...gatewayVariables.shape, ...workerVariables.shape }

export function readSettings(env: Environment): Settings {
  const names = Object.keys(shape) as (keyof typeof shape)[]
  const entries = names.map((name) => [name, readOne(name, env) ?? readOne(name, {})])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Settings
}

function readOne(name: keyof typeof shape, env: Environment): unknown {
  try {
    return readEnvironment(z.object({ [name]: shape[name] }), env)[name]
  } catch {
    return undefined
  }
}
