import { setTimeout as sleep } from 'node:timers/promises'
import { type Answered, call, isNobodyThere, type Try } from '../call/play-twilio.ts'
import { ACCESS_KEY, type Plan } from './payment.ts'

/** What a caller heard. `other` is an answer that no caller should ever get. */
export type Told =
  | { kind: 'approved'; id: string }
  | { kind: 'declined'; code: string }
  | { kind: 'not_processed' | 'unconfirmed' | 'transaction_id_reused' }
  | { kind: 'other'; says: string }

export type Heard = { told: Told | undefined; tries: number }

export type CallerOptions = {
  /** Where a load balancer would look, the first one first. */
  endpoints: readonly string[]
  tryMs: number
  tries: number
  /** The caller leaves that long after he has begun. */
  leavesAfterMs?: number | undefined
}

/** Calls as Twilio does, with a load balancer in front of the gateways: a connection that nobody takes goes to the next
 * gateway at once, for nothing was sent; every further try goes to the next gateway in turn. A try without an answer takes
 * its full time. The first answer ends the call. */
export async function callAsTwilio(plan: Plan, options: CallerOptions): Promise<Heard> {
  const { endpoints, tryMs, tries, leavesAfterMs = Number.POSITIVE_INFINITY } = options
  const begun = performance.now()
  const left = () => leavesAfterMs - (performance.now() - begun)
  for (let nth = 0; nth < tries && left() > 1; nth++) {
    const limitMs = Math.ceil(Math.min(tryMs, left()))
    const ended = await tryBalanced(plan, { order: rotated(endpoints, nth), limitMs })
    if (ended.kind === 'answered') return { told: toldBy(ended, plan), tries: nth + 1 }
    await sleep(Math.max(0, Math.min(limitMs, left()) - ended.ms))
  }
  return { told: undefined, tries }
}

const rotated = <Item>(items: readonly Item[], by: number): Item[] =>
  items.map((_, nth) => items[(nth + by) % items.length] as Item)

async function tryBalanced(plan: Plan, { order, limitMs }: { order: string[]; limitMs: number }): Promise<Try> {
  let ended: Try = { kind: 'broken', ms: 0, code: 'ECONNREFUSED' }
  for (const url of order) {
    const { tries } = await call({
      url,
      body: plan.body,
      credentials: { user: plan.account, password: ACCESS_KEY },
      tries: 1,
      tryTimeoutMs: limitMs,
    })
    ended = tries[0] ?? ended
    if (!isNobodyThere(ended)) return ended
  }
  return ended
}

const OURS = ['not_processed', 'unconfirmed', 'transaction_id_reused'] as const

function toldBy({ status, body, text }: Answered, { method }: Plan): Told {
  const { error_code: code } = body ?? {}
  const id = body?.[method === 'charge' ? 'charge_id' : 'token_id']
  const own = OURS.find((kind) => kind === code)
  if (status !== 200 || body === undefined) return { kind: 'other', says: `${status} ${text.slice(0, 200)}` }
  if (own && id === null) return { kind: own }
  if (code === null && typeof id === 'string' && id !== '') return { kind: 'approved', id }
  if (typeof code === 'string' && /^\d+$/.test(code) && id === null) return { kind: 'declined', code }
  return { kind: 'other', says: text.slice(0, 200) }
}
