import type { PaymentRecord } from '@pay/ledger'

/** Why a wait was interrupted: the payment's record changed, time is up, or the caller hung up. */
export type News = { kind: 'told'; record: PaymentRecord } | { kind: 'deadline' } | { kind: 'hung up' }

/** One held try. */
export type Seat = {
  /** The next news, waiting at most `withinMs`. News that came while nobody asked is given at once. */
  next(withinMs: number): Promise<News>
  leave(): void
}

export type WaitingRoomOptions = {
  rereadMs: number
  /** Reads records whose news may have been lost; undefined where there is none. */
  readMany: (keys: readonly string[]) => Promise<(PaymentRecord | undefined)[]>
  now: () => number
}

export type WaitingRoom = ReturnType<typeof createWaitingRoom>

type Waiter = { key: string; since: number; rereadAt: number; told: (record: PaymentRecord) => void }

const BATCH = 500

/** All tries that this gateway holds. News comes from the reply channel; because that keeps nothing, whoever waits longer
 * than a moment is also looked up in the ledger, after 1 s, 2 s, 4 s and so on, and at once when the channel reopens. */
export function createWaitingRoom({ rereadMs, readMany, now }: WaitingRoomOptions) {
  const waiters = new Map<string, Set<Waiter>>()
  let size = 0

  function tell(record: PaymentRecord): void {
    for (const waiter of waiters.get(record.key) ?? []) waiter.told(record)
  }

  function enter(key: string, hungUp: AbortSignal): Seat {
    const box = createBox(hungUp)
    const waiter = { key, since: now(), rereadAt: now() + rereadMs, told: box.put }
    const others = waiters.get(key) ?? new Set()
    waiters.set(key, others.add(waiter))
    size += 1
    const leave = () => {
      if (!others.delete(waiter)) return
      size -= 1
      if (others.size === 0) waiters.delete(key)
    }
    return { next: box.take, leave }
  }

  function overdue(): Waiter[] {
    return [...waiters.values()].flatMap((others) => [...others]).filter((waiter) => waiter.rereadAt <= now())
  }

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
    rereadAll: () => reread([...waiters.values()].flatMap((others) => [...others])),
    rereadOverdue: () => reread(overdue()),
  }
}

/** Holds the latest news for one taker: the one of the latest reading, for a reading can arrive after what happened since. */
function createBox(hungUp: AbortSignal) {
  let latest: PaymentRecord | undefined
  let wake: (() => void) | undefined
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
      const timer = setTimeout(done, withinMs)
      hungUp.addEventListener('abort', done)
      wake = done
      function done() {
        clearTimeout(timer)
        hungUp.removeEventListener('abort', done)
        wake = undefined
        resolve()
      }
    })
  return { put, take }
}
