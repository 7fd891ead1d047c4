import { randomBytes, randomUUID } from 'node:crypto'
import type { Entry, PaymentRecord } from '@pay/ledger'
import { type PayRequest, Secret } from '@pay/mapper'
import { createSealedPayments, sealCredentials, sealKeys, sealPayment } from '@pay/payment-queue'
import { Redis } from 'ioredis'
import { openTestLedger } from '../../../packages/ledger/src/testing.ts'
import { type AdoptDeps, createAdoptPayment } from './adopt-payment.ts'
import { createBooks } from './books.ts'
import { createIdsAhead } from './ids-ahead.ts'
import { createMetrics } from './metrics.ts'
import { createOwners } from './owners.ts'
import { createProcessPayment, type ProcessDeps } from './process-payment.ts'
import { createReversePayment, type ReverseDeps } from './reverse-payment.ts'
import { createSettle } from './settle.ts'
import { credentials, quickClock, type Script, scriptedPayconex, silentLog, times } from './testing.ts'

/** Support for this folder's tests: workers, and the ledger and the queue on which they work, all by one clock that does not wait. */

export const RESERVED = '000000000001'
export const keyRing = (id = 'k1') => sealKeys.parse(`${id}:${randomBytes(32).toString('base64')}`)

const request: PayRequest = {
  method: 'charge',
  transactionId: 'tx-1',
  instrument: { kind: 'card', number: new Secret('4111111111111111'), expiration: new Secret('0827') },
  amount: '10.00',
  currency: 'USD',
  parameters: {},
}

type Over = Partial<ProcessDeps & AdoptDeps & ReverseDeps>

export type Workshop = Awaited<ReturnType<typeof openWorkshop>>

/** Its keys are its own, so that files run side by side on one Redis. */
export async function openWorkshop({ ledgerUrl, queueUrl }: { ledgerUrl: string; queueUrl: string }) {
  const shard = randomUUID()
  const [redis, queue] = [new Redis(ledgerUrl), new Redis(queueUrl)]
  const clock = quickClock()
  const keys = keyRing()
  const ledger = await openTestLedger({ redis, shard, now: clock.now, times })
  const sealed = createSealedPayments(queue, shard)
  /** Agrees with the ledger's clock, which is the same. */
  const steady = { observe: () => undefined, hasPassed: (ms: number, moment: number) => clock.now() - moment >= ms }

  /** It reserves no ids ahead unless the test says how many. */
  function worker(script: Script, { idsAhead = 0, ...over }: Over & { idsAhead?: number } = {}) {
    const payconex = scriptedPayconex(script)
    const draining = new AbortController()
    const given = {
      ledger,
      sealed,
      payconex: payconex.payconex,
      sealKeys: keys,
      mapping: { extraParameters: [], defaultParameters: {} },
      times,
      owners: createOwners('w1'),
      clock,
      metrics: createMetrics(),
      log: silentLog,
      ...over,
    }
    const ids = createIdsAhead({ ...given, most: idsAhead, hasAnsweredWithin: () => true, draining: draining.signal })
    const shared = { ids, ...given, payconex: ids.payconex }
    const settle = createSettle({ ...shared, draining: draining.signal })
    const books = createBooks(shared)
    const adopt = createAdoptPayment({ steady, onLocked: () => undefined, ...shared, books, settle })
    const reversal = createReversePayment({ reversesLate: true, ...shared, books, adopt })
    const processPayment = createProcessPayment({ reserve: 'required', ...shared, settle, books, adopt })
    return { ...payconex, processPayment, adopt, reversal, drain: () => draining.abort() }
  }

  const sealedFor = (key: string) => sealCredentials(credentials, key, keys)

  /** A payment of an account of its own, unless the test says which. */
  function payment(account: string = randomUUID()) {
    const attempt = { key: `p_${randomUUID()}`, attempt: 1 }
    const { key } = attempt
    const seat = 'g1:1'
    const read = async () => (await ledger.read(key)) as PaymentRecord
    const seal = () => sealed.keep(attempt, sealPayment({ request, credentials }, attempt, keys), 60_000)
    const admit = (fingerprint = 'one') => {
      const sealedCredentials = sealedFor(key)
      const said = { key, fingerprint, seat, method: 'charge' as const, account, custom_id: 'tx-1' }
      return ledger.admit({ ...said, amount: '10.00', sealedCredentials })
    }
    const accepted = async () => {
      await admit()
      await seal()
    }
    const fenced = async (owner: string, reserved = RESERVED) => {
      await accepted()
      await ledger.fence(attempt, { owner, reserved })
    }
    const finished = async (entry: Entry, owner = 'w0.a') => {
      await fenced(owner)
      await ledger.finish(attempt, owner, entry)
    }
    return {
      key,
      attempt,
      account,
      read,
      state: async () => (await read()).state,
      admit: () => admit(),
      /** A try with another card. */
      admitAnother: () => admit('two'),
      seal,
      /** What is sealed for it on the queue; null when that is gone. */
      sealed: () => sealed.take(attempt),
      dueAt: async () => {
        const score = await redis.zscore(`{${shard}}:open`, key)
        return score === null ? null : Number(score)
      },
      leave: () => ledger.leave(key, seat),
      accepted,
      fenced,
      finished,
      /** Sent by a worker that then died. */
      orphaned: async (reserved = RESERVED) => {
        await fenced('dead.a', reserved)
        await ledger.dropLease('dead')
      },
      /** Its answer was given up. */
      unconfirmed: () => finished({ state: 'unconfirmed', dueMs: 2000 }),
      /** An approval that nobody heard and nobody will. */
      unheard: async (id = RESERVED) => {
        await fenced('w0.a', id)
        await ledger.leave(key, seat)
        await ledger.finish(attempt, 'w0.a', { state: 'approved', id })
        clock.pass(times.listeningMs)
      },
    }
  }

  /** An account for which PayConex has proven that it honours the ids that it reserves. */
  async function provenAccount(name?: string): Promise<string> {
    const { fenced, attempt, account } = payment(name)
    const id = freshId()
    await fenced('w0.a', id)
    await ledger.finish(attempt, 'w0.a', { state: 'approved', id })
    return account
  }

  /** PayConex is seen to honour the ids that it reserves for reversals of this account. */
  async function proveReversals(account: string): Promise<void> {
    const { attempt, unheard } = payment(account)
    const reversal = freshId()
    await unheard(freshId())
    await ledger.reverse(attempt, { owner: 'w0.a', reversal })
    await ledger.finish(attempt, 'w0.a', { state: 'reversed', id: reversal })
  }

  /** Whether it is seen to, for the account and `charge` or `reversal`. */
  const honoured = (account: string, use: string) => redis.hget(`{${shard}}:honoured`, `${account}|${use}`)

  const close = () => {
    redis.disconnect()
    queue.disconnect()
  }
  return {
    worker,
    payment,
    provenAccount,
    proveReversals,
    honoured,
    sealedFor,
    keys,
    ledger,
    sealed,
    redis,
    shard,
    clock,
    steady,
    close,
  }
}

let ids = 900_000_000_000

/** An id that no other payment has. */
export function freshId(): string {
  ids += 1
  return String(ids)
}
