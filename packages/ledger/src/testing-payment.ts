import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Admission, AuditEntry, ByHand, Entry, Ledger, Resolution } from './ledger.ts'
import type { PaymentRecord, State } from './record.ts'
import { openTestLedger, type TestLedgerOptions, testTimes } from './testing.ts'

/** Support for this folder's tests: a ledger with a clock of its own, and payments on it that can be brought into any state. */

export const RESERVED = '000000000001'
export const OWNER = 'w1.a'
export const APPROVAL = { state: 'approved', id: RESERVED } as const satisfies Entry
export const UNCONFIRMED = { state: 'unconfirmed', dueMs: 2000 } as const satisfies Entry
export const REVERSAL = '000000000009'
/** As which look at it a question by hand counts, where it was for review. */
export const LAST_LOOK = 14
export const TOKEN = 'token-of-one-act'
export const ENTRY: AuditEntry = { by: 'ann', what: 'resolve', reason: 'seen in the console' }
const BY_HAND = { token: TOKEN, entry: ENTRY }

/** Its keys are its own, so that files run side by side on one Redis. */
export async function openBench(url: string, options: Partial<TestLedgerOptions> = {}) {
  const shard = randomUUID()
  const redis = new Redis(url)
  const clock = { ms: 1_000_000 }
  const pass: Pass = (ms) => {
    clock.ms += ms
  }
  const settings = { redis, shard, now: () => clock.ms, ...options }
  const ledger = await openTestLedger(settings)

  /** Another payment, under ids of its own. */
  const another = (changes: Partial<Admission> = {}) =>
    paymentOn({ ledger, redis, shard, pass }, changes, { reserved: freshId(), reversal: freshId() })

  return {
    ledger,
    redis,
    shard,
    clock,
    pass,
    /** Another process on the same ledger. */
    openAnother: (others: Partial<TestLedgerOptions> = {}) => openTestLedger({ ...settings, ...others }),
    payment: (changes: Partial<Admission> = {}) => paymentOn({ ledger, redis, shard, pass }, changes),
    another,
    /** A payment of this account was approved under the id that was reserved for it. */
    prove: async (account: string, changes: Partial<Admission> = {}) => {
      await another({ account, ...changes }).reach('approved')
    },
    /** A charge of this account was reversed under the id that was reserved for the reversal; of charges that proves nothing. */
    proveReversals: async (account: string) => {
      const other = another({ account })
      await other.reach('sending')
      await other.leave()
      await other.finish({ ...APPROVAL, id: freshId() })
      pass(testTimes.listeningMs)
      await other.reverse()
      await other.finish({ state: 'reversed', id: other.ids.reversal })
    },
    /** Whether PayConex is seen to honour the ids it reserves, for the account and `charge`, `tokenize` or `reversal`. */
    honoured: (account: string, use: string) => redis.hget(`{${shard}}:honoured`, `${account}|${use}`),
    key: (name: string) => `{${shard}}:${name}`,
    close: () => redis.disconnect(),
  }
}

const pairsOf = (fields: readonly string[]) =>
  fields.flatMap((name, nth) => (nth % 2 === 0 ? [[name, fields[nth + 1] ?? ''] as const] : []))

let lastId = 900_000_000_000

/** An id that no other payment has. */
function freshId(): string {
  lastId += 1
  return String(lastId)
}

type Pass = (ms: number) => void

/** Those that PayConex gives for its charge, and for its reversal. */
type Ids = { reserved: string; reversal: string }

const IDS: Ids = { reserved: RESERVED, reversal: REVERSAL }

type Place = { ledger: Ledger; redis: Redis; shard: string; pass: Pass }

/** One payment and every step on it, by `w1` unless the test says otherwise. */
function paymentOn({ ledger, redis, shard, pass }: Place, changes: Partial<Admission>, ids: Ids = IDS) {
  const key = `p_${randomUUID()}`
  const first = { key, attempt: 1 }
  const admission: Admission = {
    key,
    fingerprint: 'one',
    seat: 'g1:1',
    method: 'charge',
    account: randomUUID(),
    custom_id: 'tx-1',
    amount: '10.00',
    sealedCredentials: 'sealed',
    ...changes,
  }
  const record = async () => (await ledger.read(key)) as PaymentRecord
  const steps = {
    ids,
    key,
    first,
    admission,
    record,
    state: async () => (await record()).state,
    /** The hash as it stands. */
    raw: () => redis.hgetall(`{${shard}}:payment:${key}`),
    ttl: () => redis.pttl(`{${shard}}:payment:${key}`),
    /** When the sweeper should look; null when it need not. */
    dueAt: async () => {
      const score = await redis.zscore(`{${shard}}:open`, key)
      return score === null ? null : Number(score)
    },
    waiting: async () => ((await redis.hget(`{${shard}}:payment:${key}`, 'waiting')) ?? '').split(' ').filter(Boolean),
    admit: (others: Partial<Admission> = {}) => ledger.admit({ ...admission, ...others }),
    leave: (seat = admission.seat) => ledger.leave(key, seat),
    withdraw: (entry: Entry = { state: 'not_sent' }, options = {}) => ledger.withdraw(first, entry, options),
    fence: (owner = OWNER, reserved = ids.reserved) => ledger.fence(first, { owner, reserved }),
    repeat: (owner = OWNER) => ledger.repeat(first, owner),
    finish: (entry: Entry, owner = OWNER) => ledger.finish(first, owner, entry),
    takeOver: async (owner: string, options = {}) => ledger.takeOver(await record(), owner, options),
    release: (owner = OWNER) => ledger.release(key, owner),
    reverse: (owner = OWNER, reversal = ids.reversal) => ledger.reverse(first, { owner, reversal }),
    keep: () => ledger.keep(key),
    /** What a person does who sees it as it is now, or as the test says. */
    resolve: async (resolution: Resolution, changes: Partial<ByHand> = {}) =>
      ledger.resolve({ ...BY_HAND, seen: await record(), ...changes }, resolution),
    askNow: async (credentials = '', changes: Partial<ByHand> = {}) =>
      ledger.askNow(
        { ...BY_HAND, seen: await record(), ...changes },
        { sealedCredentials: credentials, asked: LAST_LOOK },
      ),
    takeBack: async (changes: Partial<ByHand> = {}, credentials = 'sealed again') =>
      ledger.takeBack({ ...BY_HAND, seen: await record(), ...changes }, credentials),
    /** What the audit stream says of it: every entry as an object. */
    audited: async () => {
      const entries = await redis.xrange(`{${shard}}:audit`, '-', '+')
      const all = entries.map(([, fields]) => Object.fromEntries(pairsOf(fields)))
      return all.filter(({ payment }) => payment === key)
    },
    /** The worker of this owner has not been heard of for as long as it takes. */
    silence: (worker = 'w1') => redis.del(`{${shard}}:lease:${worker}`),
  }
  return { ...steps, reach: (state: State) => PATHS[state](steps, pass) }
}

export type Payment = ReturnType<typeof paymentOn>

type Path = (payment: Omit<Payment, 'reach'>, pass: Pass) => Promise<unknown>

/** The shortest way of a charge into each state. Nobody waits for it any more when it is approved or was not sent, and so nobody
 * hears of that. */
const PATHS: Record<State, Path> = {
  accepted: (payment) => payment.admit(),
  sending: async (payment) => {
    await payment.admit()
    await payment.fence()
  },
  approved: async (payment, pass) => {
    await PATHS.sending(payment, pass)
    await payment.leave()
    await payment.finish({ ...APPROVAL, id: payment.ids.reserved })
  },
  declined: async (payment, pass) => {
    await PATHS.sending(payment, pass)
    await payment.finish({ state: 'declined', code: '30002', message: 'DECLINED' })
  },
  not_sent: async (payment, pass) => {
    await PATHS.accepted(payment, pass)
    await payment.leave()
    await payment.withdraw()
  },
  unconfirmed: async (payment, pass) => {
    await PATHS.sending(payment, pass)
    await payment.finish(UNCONFIRMED)
  },
  review: async (payment, pass) => {
    await PATHS.sending(payment, pass)
    await payment.finish({ state: 'review' })
  },
  reversing: async (payment, pass) => {
    await PATHS.approved(payment, pass)
    pass(testTimes.listeningMs)
    await payment.reverse()
  },
  reversed: async (payment, pass) => {
    await PATHS.reversing(payment, pass)
    await payment.finish({ state: 'reversed' })
  },
}
