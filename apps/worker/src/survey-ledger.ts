import type { Ledger } from '@pay/ledger'
import type { SealKeys } from '@pay/payment-queue'
import { type Log, reasonOf, type Times } from '@pay/service'
import type { ShowLedger } from './show-ledger.ts'

export type SurveyDeps = {
  ledger: Pick<Ledger, 'survey'>
  worker: string
  shard: string
  /** Read anew each time: keys are changed without a restart. */
  sealKeys: SealKeys
  times: Pick<Times, 'surveyMs'>
  show: ShowLedger
  log: Log
}

/** Counts every so often what is on the ledger in one shard, if this is the worker that sweeps it: never twice at once. Returns how to
 * stop, after which nothing is shown any more. */
export function surveyLedger({ ledger, worker, shard, sealKeys, times, show, log }: SurveyDeps): () => void {
  let isLooking = false
  let hasStopped = false

  async function look(): Promise<void> {
    if (isLooking) return
    isLooking = true
    const survey = await ledger.survey(worker, { keyIds: [...sealKeys.all.keys()] }).catch(unknown)
    isLooking = false
    if (!hasStopped) show(shard, survey)
  }

  function unknown(error: unknown): undefined {
    log.warn(
      { event: 'ledger.silent', step: 'survey', reason: reasonOf(error) },
      'could not count what is on the ledger',
    )
  }

  const looking = setInterval(() => void look(), times.surveyMs)
  return () => {
    hasStopped = true
    clearInterval(looking)
    show(shard, undefined)
  }
}
