import type { Clock } from '@pay/service'

/** One account's payments, on their way through this gateway. */
type Lane = {
  /** On the queue or in work, and not over yet. */
  underWay: number
  /** In order of arrival. */
  waiting: Set<Slot>
  /** Walks through `waiting`, so that taking the first does not mean stepping over all who have left before it. */
  line: SetIterator<Slot>
}

/** One payment. All tries of it that are held here share it. */
type Slot = {
  account: string
  payment: string
  lane: Lane
  /** When its first try came, by this process' clock. */
  since: number
  tries: number
  isUnderWay: boolean
  turn: Promise<boolean>
  tell: (mayGo: boolean) => void
}

/** One try's hold on its payment's slot. */
export type Place = {
  /** True when it is this payment's turn; false when it is over before. */
  turn: Promise<boolean>
  /** The payment is over: the next one's turn. */
  leave: () => void
  /** The try is over and, unless somebody has called `leave`, its payment is not. Twilio comes back at once with the next try,
   * which then has its place in the line, or its part of the room, still. */
  hangUp: () => void
}

export type LanesOptions = {
  /** Undefined: not known. */
  capacity: () => Capacity | undefined
  /** For how long a payment keeps its place while none of its tries is here. */
  lingerMs: number
  clock: Pick<Clock, 'now' | 'sleep'>
}

/** How many jobs the workers can have in work at once, and how many gateways share them. */
export type Capacity = { concurrency: number; gateways: number }

export type Lanes = ReturnType<typeof createLanes>

const UNLIMITED = Number.POSITIVE_INFINITY

/** Keeps one busy account from taking the queue to itself: of each account only so many payments are under way at a time; the
 * others wait here for their turn. With room for C payments, this gateway's part of it, and k accounts that have payments
 * here, that is
 *
 *  for one account alone   all the room there is, also the other gateways' part; but no more, for what lies on the queue
 *                          beyond it would be ahead of whoever comes next
 *  for each of more        2 C / (k + 1), or twice what is free, whichever is more: nobody takes the last place, and none
 *                          stays empty only because many accounts are there that want little
 *  before C is known       no limit
 *
 * A lane is there as long as its account has payments here. */
export function createLanes({ capacity, lingerMs, clock }: LanesOptions) {
  const lanes = new Map<string, Lane>()
  const slots = new Map<string, Slot>()
  const blocked = new Set<Lane>()
  let underWay = 0

  /** `isUnderWay`: it was sent on its way before, perhaps by another gateway; it has its turn whatever the limit. */
  function enter(account: string, payment: string, { isUnderWay = false } = {}): Place {
    const slot = slots.get(payment) ?? open(account, payment)
    slot.tries += 1
    if (isUnderWay && slot.lane.waiting.delete(slot)) start(slot)
    advance(slot.lane)
    return { turn: slot.turn, leave: () => end(slot), hangUp: () => void hangUp(slot) }
  }

  function open(account: string, payment: string): Slot {
    const { promise: turn, resolve: tell } = Promise.withResolvers<boolean>()
    const lane = laneOf(account)
    const slot = { account, payment, lane, since: clock.now(), tries: 0, isUnderWay: false, turn, tell }
    slots.set(payment, slot)
    lane.waiting.add(slot)
    return slot
  }

  function laneOf(account: string): Lane {
    const known = lanes.get(account)
    if (known) return known
    const waiting = new Set<Slot>()
    const lane = { underWay: 0, waiting, line: waiting.values() }
    lanes.set(account, lane)
    return lane
  }

  function start(slot: Slot): void {
    slot.isUnderWay = true
    slot.lane.underWay += 1
    underWay += 1
    slot.tell(true)
  }

  function end(slot: Slot): void {
    if (slots.get(slot.payment) !== slot) return
    const { lane, account, payment } = slot
    slots.delete(payment)
    if (slot.isUnderWay) stop(lane)
    else lane.waiting.delete(slot)
    slot.tell(false)
    if (lane.underWay + lane.waiting.size === 0) lanes.delete(account)
    advance(lane)
    advanceAll()
  }

  function stop(lane: Lane): void {
    lane.underWay -= 1
    underWay -= 1
  }

  async function hangUp(slot: Slot): Promise<void> {
    if (slots.get(slot.payment) !== slot) return
    slot.tries -= 1
    await clock.sleep(lingerMs)
    if (slot.tries === 0) end(slot)
  }

  /** Lets go whoever may, in order. */
  function advance(lane: Lane): void {
    while (lane.waiting.size > 0 && lane.underWay < limit()) {
      const first = firstOf(lane)
      lane.waiting.delete(first)
      start(first)
    }
    if (lane.waiting.size > 0) blocked.add(lane)
    else blocked.delete(lane)
  }

  /** What ends in one lane may make room in all of them. */
  function advanceAll(): void {
    for (const lane of blocked) advance(lane)
  }

  /** This gateway's part of the room. */
  function places(): number {
    const known = capacity()
    return known ? known.concurrency / Math.max(1, known.gateways) : UNLIMITED
  }

  function limit(): number {
    if (lanes.size <= 1) return capacity()?.concurrency ?? UNLIMITED
    const share = Math.ceil((2 * places()) / (lanes.size + 1))
    return Math.max(1, share, Math.floor(2 * (places() - underWay)))
  }

  return {
    enter,
    /** To be called when the capacity may have changed. */
    refresh: advanceAll,
    /** What a payment of this account would meet: how many wait before it, and how many at a time have their turn, as long as
     * all who wait now do so. */
    look: (account: string) => ({
      waiting: lanes.get(account)?.waiting.size ?? 0,
      atOnce: Math.max(1, Math.min(limit(), places() / Math.max(1, blocked.size))),
    }),
    /** For how long the payment that has waited longest has waited for its turn here, in ms; 0 when none waits. */
    oldestMs(): number {
      const waits = [...blocked].map(({ waiting: [first] }) => (first ? clock.now() - first.since : 0))
      return Math.max(0, ...waits)
    },
    /** Accounts that have payments here. */
    size: () => lanes.size,
  }
}

/** An iterator of a Set sees what is added while it walks, and skips what was deleted; one that has ended stays so. */
function firstOf(lane: Lane): Slot {
  let next = lane.line.next()
  if (next.done) {
    lane.line = lane.waiting.values()
    next = lane.line.next()
  }
  if (next.done) throw new Error('nobody waits in this lane')
  return next.value
}
