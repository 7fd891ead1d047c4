import type { PaymentRecord } from '@pay/ledger'
import type { Alarm, Clock } from '@pay/service'

/** Why a wait was interrupted: the payment's record changed, time is up, or the caller hung up. */
export type News = { kind: 'told'; record: PaymentRecord } | { kind: 'deadline' } | { kind: 'hung up' }

/** Whether the caller of a try has hung up, and whom to tell when he does. An AbortSignal says the same and will do, but costs more
 * than all the rest of a wait: hanging up makes it an error with a stack, which nobody reads. */
export type HungUp = { readonly aborted: boolean; onabort: ((this: AbortSignal, event: Event) => unknown) | null }

/** One held try. */
export type Seat = {
  /** `<gateway>:<number>`: how the ledger knows it. */
  name: string
  /** The ledger has recorded that this try waits. Before that its record is not read for it: what it then says was for others. */
  admitted(): void
  /** The next news, waiting at most `withinMs`. News that came while nobody asked is given at once. */
  next(withinMs: number): Promise<News>
  leave(): void
}

export type WaitingRoomOptions = {
  rereadMs: number
  /** Reads records whose news may have been lost; undefined where there is none. */
  readMany: (keys: readonly string[]) => Promise<(PaymentRecord | undefined)[]>
  gateway: string
  clock: Pick<Clock, 'now'> & { alarm: Alarm }
}

export type WaitingRoom = ReturnType<typeof createWaitingRoom>

type Waiter = { key: string; since: number; rereadAt: number | undefined; told: (record: PaymentRecord) => void }

const BATCH = 500

/** All tries that this gateway holds. News comes from the reply channel; because that keeps nothing, whoever waits longer
 * than a moment is also looked up in the ledger, after 1 s, 2 s, 4 s and so on, and at once when the channel reopens. */
export function createWaitingRoom({ rereadMs, readMany, gateway, clock }: WaitingRoomOptions) {
  const { now } = clock
  const waiters = new Map<string, Set<Waiter>>()
  let size = 0
  let entered = 0

  function tell(record: PaymentRecord): void {
    for (const waiter of waiters.get(record.key) ?? []) waiter.told(record)
  }

  function enter(key: string, hungUp: HungUp): Seat {
    const box = createBox(hungUp, clock.alarm)
    entered += 1
    const name = `${gateway}:${entered.toString(36)}`
    const waiter: Waiter = { key, since: now(), rereadAt: undefined, told: box.put }
    const others = waiters.get(key) ?? new Set()
    waiters.set(key, others.add(waiter))
    size += 1
    const leave = () => {
      if (!others.delete(waiter)) return
      hungUp.onabort = null
      size -= 1
      if (others.size === 0) waiters.delete(key)
    }
    const admitted = () => {
      waiter.rereadAt = now() + rereadMs
    }
    return { name, admitted, next: box.take, leave }
  }

  const dueBefore = (time: number): Waiter[] =>
    [...waiters.values()].flatMap((others) => [...others]).filter(({ rereadAt = Number.NaN }) => rereadAt <= time)

  async function reread(which: readonly Waiter[]): Promise<void> {
    for (const waiter of which) waiter.rereadAt = now() + Math.max(rereadMs, now() - waiter.since)
    const keys = [...new Set(which.map((waiter) => waiter.key))]
    for (let start = 0; start < keys.length; start += BATCH) {
      const records = await readMany(keys.slice(start, start + BATCH))
      for (const record of records) if (record) tell(record)
    }
  }

  return {
    enter,
    tell,
    size: () => size,
    /** What may have been missed is read now: for everybody after a gap of the channel, else for the overdue. */
    rereadAll: () => reread(dueBefore(Number.POSITIVE_INFINITY)),
    rereadOverdue: () => reread(dueBefore(now())),
  }
}

/** Holds the latest news for one taker: the one of the latest reading, for a reading can arrive after what happened since. */
function createBox(hungUp: HungUp, alarm: Alarm) {
  let latest: PaymentRecord | undefined
  let wake: (() => void) | undefined
  hungUp.onabort = () => wake?.()
  const put = (record: PaymentRecord) => {
    if (latest === undefined || latest.now <= record.now) latest = record
    wake?.()
  }
  const take = async (withinMs: number): Promise<News> => {
    if (!latest && !hungUp.aborted) await pause(withinMs)
    const record = latest
    latest = undefined
    if (hungUp.aborted) return { kind: 'hung up' }
    return record ? { kind: 'told', record } : { kind: 'deadline' }
  }
  const pause = (withinMs: number) =>
    new Promise<void>((resolve) => {
      wake = () => {
        callOff()
        wake = undefined
        resolve()
      }
      const callOff = alarm(withinMs, wake)
    })
  return { put, take }
}
