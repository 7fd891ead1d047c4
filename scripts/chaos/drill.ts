import type { Environment } from '../stack/service.ts'
import { type Act, acts, lateFences } from './acts.ts'
import type { ChaosOptions } from './options.ts'
import type { PlanMix } from './payment.ts'
import type { Sabotage } from './sabotage.ts'

/** Which faults come, how often, and who calls. */
export type Drill = {
  acts: readonly Act[]
  /** Acts of one round: from, to. */
  atOnce: readonly [number, number]
  /** The rest after each round, in ms: from, to. In it payments pass untouched. */
  rest: readonly [number, number]
  /** Before the first round. */
  restFirstMs: number
  /** Whether the nemesis ends when each act has had its turn. */
  isOnce?: boolean
  /** The part of payments that PayConex treats badly one by one. */
  faultShare: number
  faults?: PlanMix['faults']
  roles?: PlanMix['roles']
  /** How PayConex behaves all the time. */
  background?: readonly Mood[]
  /** How many of each; the usual number by default. */
  crew?: { gateways: number; workers: number }
  /** Settings of gateways and workers, beside the usual ones. */
  env?: Environment
}

/** A fault for a part of all requests; the length of a delay is counted in tries. */
type Mood = { fault: string; on: string; share: number; tries?: number }

export function drillFor({ calm: isCalm, rush: isRush, broken }: ChaosOptions): Drill {
  if (broken !== undefined) return drills[broken]
  if (isCalm) return calm
  return isRush ? rush : usual
}

/** The rest is now and then long enough for every path to be as before. */
const usual: Drill = { acts, atOnce: [1, 3], rest: [1_000, 8_000], restFirstMs: 3_000, faultShare: 0.06 }

/** Each kind of fault once and briefly, within a quarter of a minute. What is paid before and after is untouched. */
const rush: Drill = {
  acts: acts.map((act) => ({ ...act, weight: 1, lasts: [0.2, 1.2] })),
  atOnce: [3, 4],
  rest: [0, 300],
  restFirstMs: 2_500,
  isOnce: true,
  faultShare: 0.06,
}

/** Nothing breaks. */
const calm: Drill = { ...usual, acts: [], faultShare: 0 }

/** One kind of fault, of another length and weight. */
const only = (kind: string, changes: Pick<Act, 'lasts' | 'weight'>): Act[] =>
  acts.filter((act) => act.kind === kind).map((act) => ({ ...act, ...changes }))

/** PayConex gives an id only after a while, so that a worker has read the payment long before it asks for the fence. */
const slowToReserve: Mood = { fault: 'delay', tries: 0.35, on: 'reserve', share: 1 }

/** Less to start, for runs that need one kind of fault only. */
const SMALL = { gateways: 1, workers: 2 }

/** For each safeguard the faults that need it most. */
const drills: Readonly<Record<Sabotage, Drill>> = {
  // A worker is stopped between reading a payment and asking for the fence, for longer than its lock on the job: the job runs
  // again. When he goes on, the other's request is at PayConex, who takes his time; SEND_BY is late here.
  fence: {
    acts: only('stop_worker', { weight: 1, lasts: [1.5, 2.2] }),
    atOnce: [1, 1],
    rest: [100, 500],
    restFirstMs: 500,
    faultShare: 0,
    background: [slowToReserve, { fault: 'delay', tries: 1.8, on: 'qsapi', share: 1 }],
    roles: [{ role: 'pays', weight: 1 }],
    crew: SMALL,
    env: { PAYCONEX_TIMEOUT_MS: '20000', SEND_BY_MS: '35000' },
  },
  // The workers' fences arrive after SEND_BY, which is early here: the caller has begun anew with another amount.
  attempt: {
    acts: [{ ...lateFences, lasts: [0.9, 1.5] }],
    crew: SMALL,
    env: { SEND_BY_MS: '8000' },
    atOnce: [1, 1],
    rest: [100, 300],
    restFirstMs: 500,
    faultShare: 0,
    background: [slowToReserve],
    roles: [{ role: 'other', weight: 1 }],
  },
  lookup: { ...calm, crew: SMALL, faultShare: 0.3, faults: [{ fault: 'lose_answer', weight: 1 }] },
}
