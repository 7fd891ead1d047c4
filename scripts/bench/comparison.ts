import { tellComparison } from './comparison-tables.ts'
import { type Contender, type ContenderName, contenderNames } from './contender.ts'
import { closedLoop, type Load, openLoop } from './load.ts'
import { type Measured, measure } from './measure.ts'
import type { Payconex } from './payconex.ts'
import type { Result, Settings } from './result.ts'
import { capacityOf, onStage, warmUp } from './stage.ts'

/** One contender in one round. */
export type Round = {
  /** As many payments as it can make, with many callers at once: what each costs. */
  busy: Measured
  /** One caller, and a PayConex that answers at once: what we add. */
  single: Load
  /** The same, and PayConex takes a while for each answer: what we wait for besides the payment itself. */
  slow: Load
  /** Arrivals at a fixed rate, the same for all. */
  steady: Load
}

export type Rounds = Record<ContenderName, Round[]>

/** What each part of a round takes. */
type Plan = {
  rounds: number
  seconds: number
  callers: number
  slowMs: number
  rate: number | undefined
  payments: number | undefined
}

export const LOAD_SHARE = 0.7

/** `direct`, `plain` and `ours` side by side.
 *
 *  1 all of them are started, with one PayConex, and warmed up
 *  2 the rate of the open loop is set: 70 % of what ours can do
 *  3 in each round each of them is measured, beginning with another one each time
 * What is not being measured idles, which costs a little, and costs all the same. */
export function compare(settings: Settings): Promise<Result> {
  const { rounds = 5, seconds = 4, callers = 64, payconexMs = 25, payments, rate, say, startRedis } = settings
  const plan = { rounds, seconds, callers, slowMs: payconexMs, rate, payments }
  return onStage({ names: contenderNames, startRedis }, async (payconex, ...contenders) =>
    tellComparison(await measureAll(contenders, payconex, plan, say), plan),
  )
}

async function measureAll(all: readonly Contender[], payconex: Payconex, plan: Plan, say: Settings['say']) {
  const { rounds, seconds, callers } = plan
  for (const contender of all) {
    say(`warming up ${contender.name} ...`)
    await warmUp(contender, plan.payments)
  }
  const ours = all.find(({ name }) => name === 'ours') as Contender
  const rate = plan.rate ?? LOAD_SHARE * (await capacityOf(ours, callers, seconds))
  const measured: Rounds = { direct: [], plain: [], ours: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < all.length; turn += 1) {
      const contender = all[(round + turn) % all.length] as Contender
      say(`round ${round + 1} of ${rounds}: ${contender.name}`)
      measured[contender.name].push(await measureRound(contender, payconex, { ...plan, rate }))
    }
  }
  return { measured, rate }
}

async function measureRound(contender: Contender, payconex: Payconex, plan: Plan & { rate: number }): Promise<Round> {
  const { seconds, callers, slowMs, rate: perSecond } = plan
  const { client } = contender
  const busy = await measure(contender, () => closedLoop({ client, callers, seconds }))
  const single = await closedLoop({ client, callers: 1, seconds: seconds / 2 })
  await payconex.delay({ saleMs: slowMs, reserveMs: slowMs })
  const slow = await closedLoop({ client, callers: 1, seconds: seconds / 2 })
  await payconex.delay({ saleMs: 0, reserveMs: 0 })
  const steady = await openLoop({ client, perSecond, seconds })
  return { busy, single, slow, steady }
}
