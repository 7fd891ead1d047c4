import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACCESS_KEY, ACCOUNT, visaCharge } from '../e2e/caller.ts'
import { witness } from '../e2e/simulator.ts'
import { type CallResult, call } from '../scripts/call/play-twilio.ts'

type Phoned = CallResult & { id: string; amount: string }

/** Callers as Twilio makes them, in an open loop: each on its own connection, on ten seconds of silence again with the same id. */
export function startCallers(url: string, { everyMs }: { everyMs: number }) {
  const phoned: Promise<Phoned>[] = []
  const timer = setInterval(() => phoned.push(phone(url, phoned.length)), everyMs)
  return {
    /** So many more begin their call before it resolves. */
    more: async (count: number) => {
      for (const until = phoned.length + count; phoned.length < until; ) await sleep(everyMs)
    },
    /** Nobody calls any more; resolves when all have ended. */
    stop: () => {
      clearInterval(timer)
      return Promise.all(phoned)
    },
  }
}

async function phone(url: string, nth: number): Promise<Phoned> {
  const id = `${nth}-${randomUUID()}`
  const amount = (10 + nth / 100).toFixed(2)
  const body = { ...visaCharge(), transaction_id: id, amount }
  return { id, amount, ...(await call({ url, body, credentials: { user: ACCOUNT, password: ACCESS_KEY } })) }
}

/** What went wrong for callers: tries that ended in anything but an answer or Twilio's own hanging up, and answers that are no approval.
 * One line each, so that a failed test says what was heard. */
export const wrong = (calls: readonly Phoned[]): string[] =>
  calls.flatMap(({ id, tries, answer }) => [
    ...tries.flatMap((attempt) => (attempt.kind === 'broken' ? [`${id}: ${attempt.code} after ${attempt.ms} ms`] : [])),
    ...(answer?.status === 200 && answer.body?.charge_id ? [] : [`${id}: ${answer?.status} ${answer?.text}`]),
  ])

/** What callers heard that PayConex' books do not bear out, and what its books have that no caller heard. */
export async function untrue(calls: readonly Phoned[], simulator: string): Promise<string[]> {
  const { transactions, duplicates } = await witness(simulator).books()
  const charges = Map.groupBy(
    transactions.filter(({ approved }) => approved),
    ({ custom_id }) => custom_id,
  )
  return [
    ...duplicates.map((each) => `charged twice: ${JSON.stringify(each)}`),
    ...calls.flatMap(({ id, amount, answer }) => {
      const [charge, ...others] = charges.get(id) ?? []
      const heard = answer?.body?.charge_id ?? undefined
      if (others.length > 0) return [`${id}: ${others.length + 1} charges`]
      if (heard !== charge?.transaction_id)
        return [`${id}: heard ${answer?.text}, books have ${charge?.transaction_id}`]
      return charge && charge.transaction_amount !== amount
        ? [`${id}: ${charge.transaction_amount}, not ${amount}`]
        : []
    }),
  ]
}
