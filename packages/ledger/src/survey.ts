import { z } from 'zod'
import { STATES, type State } from './record.ts'

/** How things stand in one shard. Times are ms of the ledger's clock. */
export type Survey = {
  /** Payments that are not over, by state. */
  open: Partial<Record<State, number>>
  /** So many more were not looked at, because there are too many. */
  unseen: number
  /** Due, and nobody has looked for as long as a lease lives: the sweeper does not keep up. */
  overdue: number
  /** How long ago the first try of the unconfirmed payment was that has been so the longest; 0: there is none. */
  oldestUnconfirmedMs: number
  review: number
  /** Approvals on the list of those that nobody can have heard of. */
  late: number
  /** For how long this ledger has known each key, by its id. */
  keyAgesMs: ReadonlyMap<string, number>
}

export type SurveyOptions = {
  /** The ids of the keys in use. */
  keyIds: readonly string[]
  /** Payments that one call looks at, and so many calls at most: what is open beyond that is only counted. */
  pageSize?: number
  pages?: number
}

type Page = z.output<typeof page>

const count = z.coerce.number()

const page = z
  .tuple([count, count, count, count, count, z.string(), z.string()], count)
  .transform(([now, open, overdue, review, late, oldest, counts, ...since]) => ({
    now,
    open,
    overdue,
    review,
    late,
    oldest: oldest === '' ? undefined : Number(oldest),
    counts: byState.parse(JSON.parse(counts)),
    since,
  }))

// An empty table of Lua's is a list in JSON.
const byState = z.union([z.array(z.never()).transform(() => ({})), z.partialRecord(z.enum(STATES), z.number())])

type Ask = (args: readonly (string | number)[]) => Promise<unknown>

/** Page by page, so that no call keeps payments waiting. What moves meanwhile may be counted twice or not at all. */
export async function survey(ask: Ask, { keyIds, pageSize = 200, pages = 50 }: SurveyOptions) {
  const read: Page[] = []
  for (let nth = 0; nth < pages && (nth === 0 || nth * pageSize < (read[0]?.open ?? 0)); nth += 1) {
    const reply = await ask([nth * pageSize, pageSize, ...keyIds])
    if (!Array.isArray(reply) || reply.length === 0) return undefined
    read.push(page.parse(reply))
  }
  return read[0] && together(read[0], read, keyIds)
}

function together(
  { now, open, overdue, review, late, since }: Page,
  pages: readonly Page[],
  keyIds: readonly string[],
) {
  const counts: Partial<Record<State, number>> = {}
  for (const { counts: some } of pages) {
    for (const [state, many] of Object.entries(some)) counts[state as State] = (counts[state as State] ?? 0) + many
  }
  const seen = Object.values(counts).reduce((sum, many) => sum + many, 0)
  const oldest = Math.min(now, ...pages.flatMap((each) => each.oldest ?? []))
  return {
    open: counts,
    unseen: Math.max(0, open - seen),
    overdue,
    oldestUnconfirmedMs: now - oldest,
    review,
    late,
    keyAgesMs: new Map(keyIds.map((id, nth) => [id, Math.max(0, now - (since[nth] ?? now))])),
  } satisfies Survey
}
