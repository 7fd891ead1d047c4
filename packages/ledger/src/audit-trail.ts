import type { Place } from './look.ts'

/** What a person did to a payment, as the script wrote it down that did it. */
export type AuditLine = {
  /** Its place in the stream. */
  id: string
  at: number
  by: string
  what: string
  payment: string
  attempt: number
  from: string
  to: string
  reason: string
  /** PayConex's transaction_id, where the person named one. */
  payconexId?: string
}

const AT_ONCE = 1000

/** The audit stream of one shard since this time, the oldest first, page by page. */
export async function* auditTrail({ redis, shard }: Place, since = 0): AsyncGenerator<AuditLine> {
  let from = String(since)
  for (;;) {
    const page = await redis.xrange(`{${shard}}:audit`, from, '+', 'COUNT', AT_ONCE)
    for (const [id, fields] of page) yield lineOf(id, fields)
    const last = page.at(-1)?.[0]
    if (last === undefined || page.length < AT_ONCE) return
    from = `(${last}`
  }
}

function lineOf(id: string, fields: readonly string[]): AuditLine {
  const {
    at,
    by = '',
    what = '',
    payment = '',
    attempt,
    from = '',
    to = '',
    reason = '',
    id: payconexId,
  } = objectOf(fields)
  const line = { id, at: Number(at), by, what, payment, attempt: Number(attempt), from, to, reason }
  return payconexId === undefined ? line : { ...line, payconexId }
}

const objectOf = (fields: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(fields.flatMap((name, nth) => (nth % 2 === 0 ? [[name, fields[nth + 1] ?? '']] : [])))
