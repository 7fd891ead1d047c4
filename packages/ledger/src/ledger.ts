import type { Redis } from 'ioredis'
import { type Book, bookKey, WrongLedger } from './book.ts'
import {
  type LedgerReply,
  type PaymentRecord,
  parseNew,
  parseReply,
  type Said,
  type State,
  UnreadableRecord,
} from './record.ts'
import { defineScripts, type ScriptName } from './scripts.ts'
import { type Survey, type SurveyOptions, survey } from './survey.ts'

/** The books: one small record per payment, every step on it one script, atomic in the ledger. All functions reject when
 * the ledger does not answer; whether the step was taken is then unknown, and asking again changes nothing twice. They reject
 * with `WrongLedger`, and `onWrong` is called, when it is not the ledger that `book` describes any more. */
export type Ledger = ReturnType<typeof createLedger>

export type LedgerTimes = {
  sendByMs: number
  answerByMs: number
  /** So long after a send PayConex is asked to take it once more, and so far apart are two look-ups that prove an absence. */
  repeatAfterMs: number
  /** So long after a send PayConex has it, or never will. */
  absenceMs: number
  leaseMs: number
  retentionMs: number
  /** After this time nobody tries again: an approval that nobody has heard by then is one that nobody will hear. */
  listeningMs: number
  /** When all have left and nobody has come back for so long, an accepted payment is not sent any more. */
  abandonedMs: number
}

export type LedgerOptions = {
  redis: Redis
  book: Book
  times: LedgerTimes
  onWrong?: (error: WrongLedger) => void
  /** For permissions to send: how many replicas must have written them to their disks, and the connection to ask on, which
   * WAITAOF blocks. */
  durable?: { redis: Redis; replicas: number; withinMs: number }
  /** The hash tag that all keys of its payments carry, so that they live on one server of a cluster. */
  shard?: string
  /** The time passed to the scripts instead of the server's clock: for tests only. */
  now?: () => number
  /** Other texts of scripts: for tests that remove a guard. */
  texts?: Partial<Record<ScriptName, string>>
}

export type Admission = {
  key: string
  fingerprint: string
  /** `<gateway>:<seat>`: the try that waits. */
  seat: string
  method: 'charge' | 'tokenize'
  account: string
  custom_id: string
  amount?: string | undefined
  sealedCredentials: string
}

/** Names one attempt of one payment: what a job carries. */
export type Attempt = { key: string; attempt: number }

/** An outcome as it is written down. Of one that is still open also when the sweeper looks again (`dueMs` from now), and how
 * often PayConex was `asked` about it by then. `remark`: the look-up that was begun at `lookedAt`, by the ledger's clock, said that
 * there is no such transaction (`absent`; the ledger concludes what follows), or PayConex approved something else than was asked
 * (`contradiction`). */
export type Entry = {
  state: State
  id?: string
  code?: string
  message?: string
  dueMs?: number
  asked?: number
  remark?: 'absent' | 'contradiction'
  lookedAt?: number
  said?: Said['what']
}

/** What a person does by hand. `seen` is the payment as that person saw it: where it has changed since, nothing is done. `token` names
 * this one act, so that asking again does it once. `entry` goes to the audit stream. */
export type ByHand = { seen: PaymentRecord; token: string; entry: AuditEntry }

/** Never a card's or an account's data, nor a key. */
export type AuditEntry = { by: string; what: string; reason: string; id?: string }

/** `id` is PayConex's transaction_id; `code` and `message` are what the caller hears of a no. */
export type Resolution = { state: 'approved'; id: string } | { state: 'declined'; code: string; message: string }

/** A reversal that provably was not done is tried again so often in all. */
const MOST_REVERSALS = 3

export function createLedger(options: LedgerOptions) {
  const { redis, book, times, onWrong, durable, shard = 's0', now } = options
  const { sendByMs, answerByMs, repeatAfterMs, absenceMs, leaseMs, retentionMs, listeningMs, abandonedMs } = times
  const open = `{${shard}}:open`
  const sweeper = `{${shard}}:sweeper`
  const late = `{${shard}}:late`
  const honoured = `{${shard}}:honoured`
  const review = `{${shard}}:review`
  const recordKey = (key: string) => `{${shard}}:payment:${key}`
  const ids = `{${shard}}:id:`
  const audit = `{${shard}}:audit`
  const leaseKey = (worker: string) => `{${shard}}:lease:${worker}`
  const scripts = defineScripts(redis, options.texts)
  const durableScripts = durable && defineScripts(durable.redis, options.texts)

  const run = async (name: ScriptName, keys: readonly string[], args: readonly (string | number)[], on = scripts) => {
    const time = now ? String(now()) : ''
    try {
      return await on[name]([bookKey(shard), open, ...keys], [time, book.identity, book.fences, ...args])
    } catch (error) {
      throw isWrong(error) ? wrong() : error
    }
  }

  function wrong(): WrongLedger {
    const error = new WrongLedger('it is another one, or has forgotten payments that were sent')
    onWrong?.(error)
    return error
  }

  function parsed<Verdict extends string>(reply: unknown): LedgerReply<Verdict> | undefined {
    const read = parseReply<Verdict>(reply)
    saw(read?.fences)
    return read
  }

  function saw(fences = 0): void {
    book.fences = Math.max(book.fences, fences)
  }

  /** A permission to send counts only when it is on the disks it must be on. `refused` is the answer of whoever could not get it
   * there: nothing is sent, and what stands in the ledger says more than was done. */
  async function permission<Verdict extends string>(...step: Parameters<typeof run>) {
    if (!durable || !durableScripts) return parsed<Verdict | 'refused'>(await run(...step))
    const [name, keys, args] = step
    const reply = parsed<Verdict | 'refused'>(await run(name, keys, args, durableScripts))
    if (!reply || reply.verdict === 'refused' || reply.verdict === 'used') return reply
    const [here, replicas] = (await durable.redis.call('WAITAOF', 1, durable.replicas, durable.withinMs)) as number[]
    const isDurable = (here ?? 0) >= 1 && (replicas ?? 0) >= durable.replicas
    return isDurable ? reply : { ...reply, verdict: 'refused' as const }
  }

  const read = async (key: string): Promise<PaymentRecord | undefined> =>
    parsed(await run('read', [recordKey(key)], []))?.record

  return {
    async admit(admission: Admission) {
      const { key, fingerprint, seat, method, account, custom_id, amount = '', sealedCredentials } = admission
      const args = [fingerprint, seat, method, account, custom_id, amount, sealedCredentials, sendByMs]
      const reply = await run('admit', [recordKey(key)], args)
      const begun = parseNew(reply, admission)
      if (!begun) return known(parsed<'join' | 'replay' | 'reused'>(reply))
      saw(begun.fences)
      return begun
    },

    /** A try is held no longer, and will not hear what comes of the payment. */
    async leave(key: string, seat: string) {
      return parsed<'left'>(await run('leave', [recordKey(key)], [seat]))
    },

    /** accepted -> not_sent or declined; with `whenExpired` only once SEND_BY has passed. */
    async withdraw({ key, attempt }: Attempt, entry: Entry, { whenExpired = false } = {}) {
      const { state, code = '', message = '' } = entry
      const args = [attempt, state, code, message, retentionMs, whenExpired ? sendByMs : '']
      return parsed<'withdrawn' | 'refused'>(await run('withdraw', [recordKey(key)], args))
    },

    /** accepted -> sending. Only `fenced` allows a byte to leave; `used` asks for another reserved id, `abandoned` says that nobody
     * waits for it any more. */
    fence({ key, attempt }: Attempt, { owner, reserved = '' }: { owner: string; reserved?: string | undefined }) {
      const keys = [recordKey(key), leaseKey(workerOf(owner)), ids]
      const args = [attempt, owner, reserved, sendByMs, leaseMs, retentionMs, abandonedMs]
      return permission<'fenced' | 'used' | 'abandoned'>('fence', keys, args)
    },

    /** Leave to send once more under the same reserved id. Only `permitted` allows it. */
    repeat({ key, attempt }: Attempt, owner: string) {
      const keys = [recordKey(key), leaseKey(workerOf(owner)), honoured]
      const args = [attempt, owner, repeatAfterMs, answerByMs - repeatAfterMs, leaseMs]
      return permission<'permitted'>('repeat', keys, args)
    },

    /** sending, unconfirmed or reversing -> an outcome, by the owner. */
    async finish({ key, attempt }: Attempt, owner: string, entry: Entry) {
      const { state, id = '', code = '', message = '', dueMs = '', asked = '', remark = '', lookedAt = '' } = entry
      const outcome = [attempt, owner, state, id, code, message, retentionMs, dueMs, asked, remark, lookedAt]
      const args = [...outcome, absenceMs, repeatAfterMs, listeningMs, MOST_REVERSALS, entry.said ?? '']
      return parsed<'finished' | 'refused'>(await run('finish', [recordKey(key), honoured, review], args))
    },

    /** A silent owner's payment, one that its living worker has forgotten, or an unconfirmed one, becomes the new owner's. The
     * reply brings the sealed credentials. */
    async takeOver({ key, owner }: PaymentRecord, newOwner: string, { isForgotten = false } = {}) {
      const keys = [recordKey(key), leaseKey(workerOf(owner ?? '')), leaseKey(workerOf(newOwner))]
      const args = [owner ?? '', newOwner, leaseMs, isForgotten ? 'forgotten' : '']
      const reply = await run('takeOver', keys, args)
      const taken = parsed<'taken' | 'refused'>(reply)
      return (
        taken && { ...taken, sealedCredentials: taken.verdict === 'taken' ? String((reply as unknown[]).at(-1)) : '' }
      )
    },

    /** The owner leaves a payment in sending or reversing to whoever looks next. */
    async release(key: string, owner: string) {
      return parsed<'released' | 'refused'>(await run('release', [recordKey(key)], [owner]))
    },

    /** approved -> reversing, when nobody can have heard of it. Only `reversing` allows the reversal to be sent. */
    reverse({ key }: Pick<Attempt, 'key'>, { owner, reversal }: { owner: string; reversal: string }) {
      const keys = [recordKey(key), leaseKey(workerOf(owner)), ids]
      return permission<'reversing' | 'used'>('reverse', keys, [owner, reversal, listeningMs, leaseMs, retentionMs])
    },

    /** Closes an approved payment that was left open; one that nobody can have heard of gets on the list of late approvals. */
    async keep(key: string) {
      return parsed<'kept' | 'refused'>(await run('keep', [recordKey(key), late], [retentionMs]))
    },

    /** unconfirmed or review -> approved or declined, as a person says who has looked. */
    async resolve({ seen, token, entry }: ByHand, resolution: Resolution) {
      const {
        state,
        id = '',
        code = '',
        message = '',
      } = { id: undefined, code: undefined, message: undefined, ...resolution }
      const args = [...stamp(seen, token), state, id, code, message, retentionMs, absenceMs, audit, ...fieldsOf(entry)]
      return parsed<'resolved' | 'early' | 'used' | 'refused'>(await run('resolve', [recordKey(seen.key), ids], args))
    },

    /** Lets a worker ask now what became of it. One that is for review needs credentials. */
    async askNow(
      { seen, token, entry }: ByHand,
      { sealedCredentials = '', asked }: { sealedCredentials?: string; asked: number },
    ) {
      const args = [...stamp(seen, token), sealedCredentials, asked, audit, ...fieldsOf(entry)]
      return parsed<'due' | 'contradicted' | 'refused'>(await run('askNow', [recordKey(seen.key), honoured], args))
    },

    /** Lets a worker reverse now what nobody can have heard of. */
    async takeBack({ seen, token, entry }: ByHand, sealedCredentials: string) {
      const args = [...stamp(seen, token), sealedCredentials, listeningMs, audit, ...fieldsOf(entry)]
      return parsed<'wanted' | 'heard' | 'early' | 'refused'>(await run('takeBack', [recordKey(seen.key), late], args))
    },

    read,

    /** The number of a fence that was heard of in another way than through this connection. */
    saw,

    /** Several records in one flight, in the order asked; undefined also for one that cannot be read, so that it does not
     * keep the others from being read. */
    async readMany(keys: readonly string[]): Promise<(PaymentRecord | undefined)[]> {
      return Promise.all(keys.map((key) => read(key).catch(unlessUnreadable)))
    },

    /** Keys of payments to look at now; empty for every worker but the one that holds the sweeper's lease. */
    async due(worker: string, limit: number): Promise<string[]> {
      return (await run('due', [sweeper], [worker, leaseMs, limit])) as string[]
    },

    async postpone(key: string, ms: number): Promise<void> {
      await run('postpone', [recordKey(key)], [ms])
    },

    /** A worker shows that it lives; without this for `leaseMs` its payments are taken over. Answers the ledger's time. */
    async renewLease(worker: string): Promise<number> {
      const [time, fences] = (await run('renew', [leaseKey(worker)], [leaseMs])) as [string, string]
      saw(Number(fences))
      return Number(time)
    },

    /** How things stand here; undefined for every worker but the one that holds the sweeper's lease. */
    survey(worker: string, options: SurveyOptions): Promise<Survey | undefined> {
      const keys = [sweeper, review, late, `{${shard}}:keys`, recordKey('')]
      return survey((args) => run('survey', keys, [worker, leaseMs, retentionMs, ...args]), options)
    },

    async dropLease(worker: string): Promise<void> {
      await redis.del(leaseKey(worker))
    },
  }
}

const stamp = ({ attempt, state, owner = '' }: PaymentRecord, token: string) => [attempt, state, owner, token]

const fieldsOf = (entry: AuditEntry) => Object.entries(entry).flat()

const isWrong = (error: unknown) => error instanceof Error && error.message.startsWith('WENTBACK')

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableRecord)) throw error
}

const workerOf = (owner: string) => owner.slice(0, Math.max(0, owner.lastIndexOf('.')))

function known<Verdict extends string>(reply: LedgerReply<Verdict> | undefined): LedgerReply<Verdict> {
  if (!reply) throw new Error('the ledger answered without a record')
  return reply
}
