import { readFile } from 'node:fs/promises'
import { type SealKeys, type ShardConnections, sealKeys } from '@pay/payment-queue'
import { missingKeys } from './keys-in-use.ts'
import type { Log } from './log.ts'
import { lookAgain } from './look-again.ts'
import type { SharedEnvironment } from './shared-variables.ts'
import { weakKeys } from './weak-keys.ts'

export type KeyRenewal = {
  env: Pick<SharedEnvironment, 'SEAL_KEYS' | 'SEAL_KEYS_FILE' | 'LOST_SEAL_KEYS' | 'LEDGER_KEY'>
  ledger: ShardConnections
  everyMs: number
  log: Log
}

/** Takes over what SEAL_KEYS_FILE says by now, without a restart. Whoever seals and opens holds the ring itself and finds the new
 * keys in it. A ring that a start would refuse is not taken over, in either mode: the old one stays, and the log says why, once.
 * Returns how to stop. */
export function renewSealKeys({ env, ledger, everyMs, log }: KeyRenewal): () => void {
  const { SEAL_KEYS: ring, SEAL_KEYS_FILE: file, LOST_SEAL_KEYS, LEDGER_KEY } = env
  if (file === undefined) return () => undefined

  async function look(path: string): Promise<string | undefined> {
    const { data: renewed } = sealKeys.safeParse((await readFile(path, 'utf8')).trim())
    if (!renewed) return 'SEAL_KEYS_FILE: holds no keys'
    if (spelled(renewed) === spelled(ring)) return undefined
    const weak = weakKeys({ SEAL_KEYS: renewed, LEDGER_KEY })
    const problems = weak.length > 0 ? weak : await missingKeys(ledger, { SEAL_KEYS: renewed, LOST_SEAL_KEYS })
    if (problems.length > 0) return problems.join('; ')
    Object.assign(ring, renewed)
    log.info(
      { event: 'keys.renewed', setting: [...renewed.all.keys()].join() },
      'other keys are in use, the first one seals',
    )
    return undefined
  }

  const onProblem = (reason: string) => log.error({ event: 'keys.not_renewed', reason }, 'the old keys stay in use')
  return lookAgain({ look: () => look(file), everyMs, onProblem })
}

const spelled = ({ all }: SealKeys) => [...all].map(([id, key]) => `${id}:${key.toString('base64')}`).join()
