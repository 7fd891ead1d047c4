import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { type LedgerReply, type PaymentRecord, parseReply, type State, UnreadableRecord } from './record.ts'

/** The books: one small record per payment, every step on it one script, atomic in the ledger. All functions reject when
 * the ledger does not answer; whether the step was taken is then unknown, and asking again changes nothing twice. */
export type Ledger = ReturnType<typeof createLedger>

export type LedgerOptions = {
  redis: Redis
  sendByMs: number
  leaseMs: number
  retentionMs: number
  /** The hash tag that all keys of its payments carry, so that they live on one server of a cluster. */
  shard?: string
  /** The time passed to the scripts instead of the server's clock: for tests only. */
  now?: () => number
}

export type Admission = {
  key: string
  fingerprint: string
  gateway: string
  method: 'charge' | 'tokenize'
  account: string
  custom_id: string
  amount?: string | undefined
  sealedCredentials: string
}

/** Names one attempt of one payment: what a job carries. */
export type Attempt = { key: string; attempt: number }

/** An outcome as it is written down. Of an `unconfirmed` one also when the sweeper looks again (`dueMs` from now), and how
 * often PayConex was `asked` about it by then. */
export type Entry = { state: State; id?: string; code?: string; message?: string; dueMs?: number; asked?: number }

export function createLedger({ redis, sendByMs, leaseMs, retentionMs, shard = 's0', now }: LedgerOptions) {
  const open = `{${shard}}:open`
  const sweeper = `{${shard}}:sweeper`
  const recordKey = (key: string) => `{${shard}}:payment:${key}`
  const leaseKey = (worker: string) => `{${shard}}:lease:${worker}`
  const call = createScripts(redis, () => (now ? String(now()) : ''))
  const read = async (key: string): Promise<PaymentRecord | undefined> =>
    parseReply(await call.read([recordKey(key)], []))?.record

  return {
    async admit(admission: Admission) {
      const { key, fingerprint, gateway, method, account, custom_id, amount = '', sealedCredentials } = admission
      const args = [fingerprint, gateway, method, account, custom_id, amount, sealedCredentials, sendByMs]
      return known(parseReply<'new' | 'join' | 'replay' | 'reused'>(await call.admit([recordKey(key), open], args)))
    },

    /** accepted -> not_sent or declined; with `whenExpired` only once SEND_BY has passed. */
    async withdraw({ key, attempt }: Attempt, entry: Entry, { whenExpired = false } = {}) {
      const { state, code = '', message = '' } = entry
      const args = [attempt, state, code, message, retentionMs, whenExpired ? sendByMs : '']
      return parseReply<'withdrawn' | 'refused'>(await call.withdraw([recordKey(key), open], args))
    },

    /** accepted -> sending. Only `fenced` allows a byte to leave. */
    async fence({ key, attempt }: Attempt, { owner, reserved = '' }: { owner: string; reserved?: string | undefined }) {
      const keys = [recordKey(key), open, leaseKey(workerOf(owner))]
      return parseReply<'fenced' | 'refused'>(await call.fence(keys, [attempt, owner, reserved, sendByMs, leaseMs]))
    },

    /** sending or unconfirmed -> an outcome, by the owner. */
    async finish({ key, attempt }: Attempt, owner: string, entry: Entry) {
      const { state, id = '', code = '', message = '', dueMs = '', asked = '' } = entry
      const args = [attempt, owner, state, id, code, message, retentionMs, dueMs, asked]
      return parseReply<'finished' | 'refused'>(await call.finish([recordKey(key), open], args))
    },

    /** A silent owner's payment, one that its living worker has forgotten, or an unconfirmed one, becomes the new owner's. The
     * reply brings the sealed credentials. */
    async takeOver({ key, owner }: PaymentRecord, newOwner: string, { isForgotten = false } = {}) {
      const leases = [leaseKey(workerOf(owner ?? '')), leaseKey(workerOf(newOwner))]
      const reply = await call.takeOver(
        [recordKey(key), open, ...leases],
        [owner ?? '', newOwner, leaseMs, isForgotten ? 'forgotten' : ''],
      )
      const parsed = parseReply<'taken' | 'refused'>(reply)
      return parsed && { ...parsed, sealedCredentials: parsed.rest[0] ?? '' }
    },

    /** The owner leaves a payment in sending to whoever looks next. */
    async release(key: string, owner: string) {
      return parseReply<'released' | 'refused'>(await call.release([recordKey(key), open], [owner]))
    },

    read,

    /** Several records in one flight, in the order asked; undefined also for one that cannot be read, so that it does not
     * keep the others from being read. */
    async readMany(keys: readonly string[]): Promise<(PaymentRecord | undefined)[]> {
      return Promise.all(keys.map((key) => read(key).catch(unlessUnreadable)))
    },

    /** Keys of payments to look at now; empty for every worker but the one that holds the sweeper's lease. */
    async due(worker: string, limit: number): Promise<string[]> {
      return (await call.due([open, sweeper], [worker, leaseMs, limit])) as string[]
    },

    async postpone(key: string, ms: number): Promise<void> {
      await call.postpone([recordKey(key), open], [ms])
    },

    /** A worker shows that it lives; without this for `leaseMs` its payments are taken over. */
    async renewLease(worker: string): Promise<void> {
      await redis.set(leaseKey(worker), '1', 'PX', leaseMs)
    },

    async dropLease(worker: string): Promise<void> {
      await redis.del(leaseKey(worker))
    },
  }
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableRecord)) throw error
}

const workerOf = (owner: string) => owner.slice(0, Math.max(0, owner.lastIndexOf('.')))

function known<Verdict extends string>(reply: LedgerReply<Verdict> | undefined): LedgerReply<Verdict> {
  if (!reply) throw new Error('the ledger answered without a record')
  return reply
}

const SCRIPTS = {
  admit: 'admit',
  withdraw: 'withdraw',
  fence: 'fence',
  finish: 'finish',
  takeOver: 'take-over',
  release: 'release',
  due: 'due',
  postpone: 'postpone',
  read: 'read',
} as const

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>

/** Defines each script on the connection: sent once by its text, then by its hash. */
function createScripts(redis: Redis, now: () => string): Record<keyof typeof SCRIPTS, Script> {
  const folder = new URL('./scripts/', import.meta.url)
  const common = readFileSync(new URL('common.lua', folder), 'utf8')
  const define = ([name, file]: [string, string]): [string, Script] => {
    const command = `ledger_${name}`
    redis.defineCommand(command, { lua: `${common}\n${readFileSync(new URL(`${file}.lua`, folder), 'utf8')}` })
    const run = (redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[command]
    if (!run) throw new Error(`the ledger's script ${name} could not be defined`)
    return [name, (keys, args) => run.call(redis, keys.length, ...keys, now(), ...args)]
  }
  return Object.fromEntries(Object.entries(SCRIPTS).map(define)) as Record<keyof typeof SCRIPTS, Script>
}
