import { shardNames } from '@pay/ledger'
import { connectFailingFast, connectShards, whenReady } from '@pay/payment-queue'
import { keysInUse, readEnvironment, sharedVariables } from '@pay/service'
import { z } from 'zod'

const { LEDGER_REDIS_URL, CA_FILE, SHARDS } = sharedVariables
const variables = z.object({ LEDGER_REDIS_URL, CA_FILE, SHARDS })

const CONNECT_LIMIT_MS = 5_000

/** One line for each key that open payments are sealed under: its id, and how many they are. */
export async function usedKeys(env: NodeJS.ProcessEnv): Promise<string[]> {
  const { LEDGER_REDIS_URL: url, CA_FILE: caFile, ...read } = readEnvironment(variables, env)
  const ledger = connectShards(connectFailingFast, { url, caFile, shards: shardNames(read.SHARDS) })
  try {
    const ready = await Promise.all(ledger.map((redis) => whenReady(redis, CONNECT_LIMIT_MS)))
    if (ready.includes(false)) throw new Error('LEDGER_REDIS_URL: no answer')
    const used = await keysInUse(ledger)
    return [...used].map(([id, { payments }]) => `${id}\t${payments}`)
  } finally {
    for (const redis of ledger) redis.disconnect()
  }
}
