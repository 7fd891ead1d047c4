import { type Book, checkValue, confirm, createWitness, shardNames, WrongLedger } from '@pay/ledger'
import type { ShardConnections } from '@pay/payment-queue'
import { missingKeys, SECOND } from '@pay/service'
import type { Redis } from 'ioredis'
import { type Finding, notChecked, ok, warning, wrong } from './finding.ts'
import type { Settings } from './settings.ts'
import { look, within } from './within.ts'

const LOOK_MS = 3 * SECOND
/** Each open payment is looked at. */
const KEYS_MS = 4 * SECOND

/** Is it the ledger that these keys belong to, can they open what is open in it, and what waits for a person? */
export async function examineContents(
  ledger: ShardConnections,
  queue: ShardConnections | undefined,
  settings: Settings,
): Promise<Finding[]> {
  const found = await Promise.all([
    look('ledger: identity', LOOK_MS, () => askIdentity(ledger, queue, settings)),
    look('ledger: keys in use', KEYS_MS + SECOND, () => askKeys(ledger, settings)),
    look('ledger: payments', LOOK_MS, () => countPayments(ledger)),
  ])
  return found.flat()
}

type Begun = { identity: string; check: string; fences: number }

async function askIdentity(
  ledger: ShardConnections,
  queue: ShardConnections | undefined,
  { LEDGER_KEY, SHARDS }: Settings,
): Promise<Finding[]> {
  const name = 'ledger: identity'
  const shards = shardNames(ledger.length)
  const seen = await Promise.all(
    shards.map((shard, nth) => queue && createWitness(queue[nth] ?? queue[0], shard).seen()),
  )
  const begun = await Promise.all(shards.map((shard, nth) => bookOf(ledger[nth] ?? ledger[0], shard)))
  const known = begun.filter((book) => book !== undefined)
  const witness = judgeWitness(begun, seen)
  if (witness) return [wrong(name, witness, 'docs/reliability.md, "When the ledger went back", says what to do')]
  if (known.length === 0) return [ok(name, 'it is empty: the first start begins it')]
  if (!LEDGER_KEY) return [notChecked(name, 'LEDGER_KEY cannot be used')]
  if (known.every(({ check }) => check === checkValue(LEDGER_KEY, SHARDS))) {
    const fences = known.reduce((sum, each) => sum + each.fences, 0)
    const parts = known.length < begun.length ? `, ${begun.length - known.length} shards are not begun` : ''
    return [ok(name, `begun with this LEDGER_KEY and SHARDS=${SHARDS}; ${fences} fences so far${parts}`)]
  }
  return [judgeOther(name, known[0] as Begun, LEDGER_KEY, SHARDS)]
}

async function bookOf(redis: Redis, shard: string): Promise<Begun | undefined> {
  const [identity, check, fences] = await redis.hmget(`{${shard}}:ledger`, 'identity', 'check', 'fences')
  return identity && check ? { identity, check, fences: Number(fences) } : undefined
}

/** What processes have noted on the queue's server: is it still the ledger that they saw? */
function judgeWitness(begun: readonly (Begun | undefined)[], noted: readonly (Book | undefined)[]): string | undefined {
  for (const [nth, seen] of noted.entries()) {
    const book = begun[nth]
    if (seen && !book) return 'it is empty, and processes have worked with another one lately'
    try {
      if (book) confirm(book, seen)
    } catch (error) {
      if (!(error instanceof WrongLedger)) throw error
      return error.message.replace(/ \(.*/, '')
    }
  }
  return undefined
}

const MOST_SHARDS = 64

/** The check value tells which number of shards it was, if the key is the right one. */
function judgeOther(name: string, { check }: Begun, ledgerKey: Buffer, shards: number): Finding {
  const numbers = Array.from({ length: MOST_SHARDS }, (_, nth) => nth + 1)
  const other = numbers.find((number) => check === checkValue(ledgerKey, number))
  if (other !== undefined) {
    return wrong(
      name,
      `it was begun with SHARDS=${other}, here it is ${shards}`,
      `set SHARDS=${other}: it stays as long as this ledger`,
    )
  }
  const seen = 'it was begun with another LEDGER_KEY (or by another version of this program)'
  return wrong(
    name,
    seen,
    'set the LEDGER_KEY that it was begun with, or name an empty ledger when all of this one is over',
  )
}

async function askKeys(ledger: ShardConnections, { SEAL_KEYS, LOST_SEAL_KEYS }: Settings): Promise<Finding[]> {
  const name = 'ledger: keys in use'
  if (!SEAL_KEYS) return [notChecked(name, 'SEAL_KEYS cannot be used')]
  const missing = await within(KEYS_MS, missingKeys(ledger, { SEAL_KEYS, LOST_SEAL_KEYS }))
  if (missing === undefined) {
    return [notChecked(name, 'more payments are open than can be looked through', 'npm run keys -- used')]
  }
  if (missing.length === 0) return [ok(name, 'all that open payments are sealed under are here')]
  return missing.map((problem) => {
    const [seen = problem, remedy = ''] = problem.split(/: (?=put it back)/)
    return wrong(name, seen, remedy)
  })
}

const AT_ONCE = 500
const MOST = 20_000

/** Open ones are the sweeper's to look after; what is in review, or was approved too late for anybody to hear, a person's. */
async function countPayments(ledger: ShardConnections): Promise<Finding[]> {
  const shards = shardNames(ledger.length)
  const over = (count: (redis: Redis, shard: string) => Promise<number>) =>
    Promise.all(shards.map((shard, nth) => count(ledger[nth] ?? ledger[0], shard))).then(sum)
  const [open, late, review] = await Promise.all([
    over(countOpen),
    over(countLate).catch(unlessForbidden),
    countReview(ledger).catch(unlessForbidden),
  ])
  return [
    ok(PAYMENTS, `${open} open${open >= MOST ? ' or more' : ''}`),
    judgeCount(late, 'late approvals'),
    judgeCount(review?.count, `payments in review${review?.isWhole === false ? ' (not all were looked through)' : ''}`),
  ]
}

const PAYMENTS = 'ledger: payments'

export function judgeCount(count: number | undefined, what: string): Finding {
  if (count === undefined)
    return notChecked(PAYMENTS, `${what}: its user may not list them`, 'npm run payments, as operator')
  if (count === 0) return ok(PAYMENTS, `no ${what}`)
  return warning(PAYMENTS, `${count} ${what}`, 'a person must look at them: npm run payments, docs/runbook.md')
}

function unlessForbidden(error: unknown): undefined {
  if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error
}

async function countOpen(redis: Redis, shard: string): Promise<number> {
  let [count, cursor] = [0, '0']
  do {
    const [next, members] = await redis.zscan(`{${shard}}:open`, cursor, 'COUNT', AT_ONCE)
    count += members.length / 2
    cursor = next
  } while (cursor !== '0' && count < MOST)
  return count
}

const countLate = async (redis: Redis, shard: string): Promise<number> =>
  (await redis.zrangebyscore(`{${shard}}:late`, '-inf', '+inf', 'LIMIT', 0, MOST)).length

const REVIEW_MS = 2 * SECOND

/** The list that workers keep of them does not know those from before it was kept, so all payments are looked through, one shard after
 * the other, as far as one comes in a moment. */
async function countReview(ledger: ShardConnections): Promise<{ count: number; isWhole: boolean }> {
  const until = performance.now() + REVIEW_MS
  let count = 0
  for (const [nth, shard] of shardNames(ledger.length).entries()) {
    const redis = ledger[nth] ?? ledger[0]
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `{${shard}}:payment:*`, 'COUNT', AT_ONCE)
      const states = await Promise.all(keys.map((key) => redis.hget(key, 's')))
      count += states.filter((state) => state === 'review').length
      cursor = next
      if (performance.now() > until) return { count, isWhole: false }
    } while (cursor !== '0')
  }
  return { count, isWhole: true }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
