import { setTimeout as sleep } from 'node:timers/promises'
import { callAsTwilio } from './caller.ts'
import type { Call } from './oracle.ts'
import { type Plan, type PlanMix, planPayment, withOtherAmount } from './payment.ts'
import type { Random } from './random.ts'
import type { Stage } from './stage.ts'

export type CallersOptions = {
  stage: Stage
  random: Random
  mix: PlanMix
  payments: number
  /** Begun in a second, however long they take ... */
  rate: number
  /** ... unless so many are under way. */
  atOnce: number
  tries: number
  /** No payment is begun after that, or after `over`. */
  limitMs: number
  over: AbortSignal
}

export type Callers = {
  calls: readonly Call[]
  begun: () => number
  underWay: () => number
  /** How many were told so. */
  told: (kind: string) => number
  /** Resolves when the last caller has ended his call. */
  done: Promise<void>
}

/** Lets callers pay, in an open loop: they come when they come, not when the last one is served. */
export function startCallers(options: CallersOptions): Callers {
  const { stage, random, mix, payments, rate, atOnce, tries, limitMs, over } = options
  const calls: Call[] = []
  const counts = new Map<string, number>()
  const open = new Set<Promise<void>>()
  let begun = 0

  async function begin(): Promise<void> {
    const start = performance.now()
    const isTime = () => begun < payments && !over.aborted && performance.now() - start < limitMs
    const gapMs = () => (1_000 / rate) * Math.max(1, 4 - (3 * (performance.now() - start)) / RAMP_MS)
    for (let due = start; isTime(); due = Math.max(due, performance.now() - LAG_LIMIT_MS) + gapMs()) {
      while (open.size >= atOnce && isTime()) await sleep(5)
      const early = due - performance.now()
      if (early > 1) await sleep(early)
      if (isTime()) track(pay(begun++))
    }
    while (open.size > 0) await Promise.all(open)
  }

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => open.delete(tracked))
    open.add(tracked)
  }

  async function pay(nth: number): Promise<void> {
    const plan = planPayment(nth, mix, random)
    if (plan.fault) await stage.simulator.fault(plan.customId, { ...plan.fault, custom_id: plan.customId, next: 1 })
    await (plan.role === 'twin' ? Promise.all([phone(plan, nth), phone(plan, nth + 1)]) : phone(plan, nth))
    if (plan.role === 'again') await phone(plan, nth, true)
    if (plan.role === 'other') await phone(withOtherAmount(plan), nth, true)
    if (plan.fault) await stage.simulator.takeBack(plan.customId)
  }

  /** One call, and what is written down about it. */
  async function phone(plan: Plan, nth: number, isSecond = false): Promise<void> {
    const { customId, account, method, amount, role, fault } = plan
    const entry: Call = {
      ...{ customId, account, method, amount, role, fault, isSecond },
      ...{ begun: Date.now(), ended: Number.POSITIVE_INFINITY, tries: 0, told: undefined },
    }
    calls.push(entry)
    const endpoints = stage.gateways.map(({ endpoint }) => endpoint)
    const heard = await callAsTwilio(plan, {
      endpoints: nth % 2 === 0 ? endpoints : endpoints.toReversed(),
      tryMs: mix.tryMs,
      tries,
      leavesAfterMs: role === 'hangs up' ? plan.leavesAfter * mix.tryMs : undefined,
    })
    Object.assign(entry, heard, { ended: Date.now() })
    count(heard.told?.kind ?? (role === 'hangs up' ? 'left' : 'silence'))
  }

  function count(kind: string): void {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }

  const done = begin()
  return { calls, begun: () => begun, underWay: () => open.size, told: (kind) => counts.get(kind) ?? 0, done }
}

/** The rate rises to its full height within this time: processes that have just started are slow. */
const RAMP_MS = 3_000

/** A loop that fell behind catches up this much, and no more. */
const LAG_LIMIT_MS = 200
