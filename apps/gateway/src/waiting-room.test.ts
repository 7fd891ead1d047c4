import type { PaymentRecord } from '@pay/ledger'
import { type Alarm, systemClock } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { recordOf } from './testing.ts'
import { createWaitingRoom } from './waiting-room.ts'

const REREAD_MS = 1000
const LONG_MS = 60_000
const approved = recordOf({ state: 'approved', id: '000000012345', now: 2000 })
const nobodyHangsUp = new AbortController().signal

/** A room whose clock and ledger belong to the test; `asked` is what was read in the ledger, flight by flight. */
function roomWith(records: Record<string, PaymentRecord> = {}) {
  const clock = { ms: 0 }
  const asked: string[][] = []
  const alarms = { set: 0, calledOff: 0 }
  const alarm: Alarm = (ms, ring) => {
    const callOff = systemClock.alarm(ms, ring)
    alarms.set += 1
    return () => {
      alarms.calledOff += 1
      callOff()
    }
  }
  const readMany = async (keys: readonly string[]) => {
    asked.push([...keys])
    return keys.map((key) => records[key])
  }
  const room = createWaitingRoom({
    rereadMs: REREAD_MS,
    readMany,
    gateway: 'g1',
    clock: { now: () => clock.ms, alarm },
  })
  const enter = (key = 'p_1', hungUp = nobodyHangsUp) => {
    const seat = room.enter(key, hungUp)
    seat.admitted()
    return seat
  }
  return { room, enter, clock, asked, alarms }
}

describe('a held try', () => {
  it('is not looked for in the ledger before it is known to wait there: what is told of before was for others', async () => {
    const { room, clock, asked } = roomWith()
    room.enter('p_1', nobodyHangsUp)
    clock.ms = 10 * REREAD_MS

    await room.rereadOverdue()
    await room.rereadAll()

    expect(asked).toEqual([])
  })

  it('is woken by news of its payment', async () => {
    const { room, enter } = roomWith()
    const news = enter().next(LONG_MS)

    room.tell(approved)

    expect(await news).toEqual({ kind: 'told', record: approved })
  })

  it('gets news at once that came before it asked, and only once', async () => {
    const { room, enter } = roomWith()
    const seat = enter()

    room.tell(approved)

    expect(await seat.next(LONG_MS)).toEqual({ kind: 'told', record: approved })
    expect(await seat.next(1)).toEqual({ kind: 'deadline' })
  })

  it('gets the latest of the news that came before it asked', async () => {
    const { room, enter } = roomWith()
    const seat = enter()

    room.tell(recordOf({ state: 'sending', now: 1500 }))
    room.tell(approved)

    expect(await seat.next(LONG_MS)).toEqual({ kind: 'told', record: approved })
  })

  it('is not told an older state because the reading of it arrived later', async () => {
    const { room, enter } = roomWith()
    const seat = enter()

    room.tell(approved)
    room.tell(recordOf({ state: 'sending', now: 1500 }))

    expect(await seat.next(LONG_MS)).toEqual({ kind: 'told', record: approved })
  })

  it('hears nothing of other payments', async () => {
    const { room, enter } = roomWith()
    const seat = enter()

    room.tell({ ...approved, key: 'p_2' })

    expect(await seat.next(1)).toEqual({ kind: 'deadline' })
  })

  it('is woken by its deadline, and can wait on', async () => {
    const { room, enter } = roomWith()
    const seat = enter()
    const started = performance.now()

    expect(await seat.next(20)).toEqual({ kind: 'deadline' })
    expect(performance.now() - started).toBeGreaterThan(18)

    room.tell(approved)
    expect(await seat.next(LONG_MS)).toMatchObject({ kind: 'told' })
  })

  it('is woken by a caller who hangs up', async () => {
    const { enter } = roomWith()
    const caller = new AbortController()
    const news = enter('p_1', caller.signal).next(LONG_MS)

    caller.abort()

    expect(await news).toEqual({ kind: 'hung up' })
  })

  it('knows a caller who hung up before, even when there is news', async () => {
    const { room, enter } = roomWith()
    const caller = new AbortController()
    const seat = enter('p_1', caller.signal)
    room.tell(approved)

    caller.abort()

    expect(await seat.next(LONG_MS)).toEqual({ kind: 'hung up' })
  })

  it('hears nothing after it left', async () => {
    const { room, enter } = roomWith()
    const seat = enter()
    seat.leave()

    room.tell(approved)

    expect(await seat.next(1)).toEqual({ kind: 'deadline' })
  })
})

describe('a try that was woken often', () => {
  it('leaves no alarm behind, and once it has left nothing with its caller', async () => {
    const { room, enter, alarms } = roomWith()
    const caller = new AbortController()
    const seat = enter('p_1', caller.signal)

    for (let count = 0; count < 100; count += 1) {
      const news = seat.next(LONG_MS)
      room.tell(approved)
      await news
    }
    seat.leave()

    expect(alarms).toEqual({ set: 100, calledOff: 100 })
    expect(caller.signal.onabort).toBeNull()
  })
})

describe('several tries of one payment', () => {
  it('all hear of it', async () => {
    const { room, enter } = roomWith()
    const news = [enter().next(LONG_MS), enter().next(LONG_MS), enter().next(LONG_MS)]

    room.tell(approved)

    const told = { kind: 'told', record: approved }
    expect(await Promise.all(news)).toEqual([told, told, told])
  })

  it('do not take each other along when they leave', async () => {
    const { room, enter } = roomWith()
    const gone = enter()
    const held = enter().next(LONG_MS)
    gone.leave()

    room.tell(approved)

    expect(await held).toMatchObject({ kind: 'told' })
  })
})

describe('the name of a seat', () => {
  it('says at which gateway it is, and is given once, also to tries of one payment and after others left', () => {
    const { enter } = roomWith()

    const seats = [enter(), enter(), enter('p_2')]
    for (const seat of seats) seat.leave()
    const names = [...seats, enter()].map(({ name }) => name)

    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(name).toMatch(/^g1:[0-9a-z]+$/)
  })
})

describe('the size of the room', () => {
  it('counts tries, not payments, and each only until it leaves, once', () => {
    const { room, enter } = roomWith()
    const [first, second, other] = [enter(), enter(), enter('p_2')]
    expect(room.size()).toBe(3)

    first.leave()
    first.leave()
    expect(room.size()).toBe(2)

    second.leave()
    other.leave()
    expect(room.size()).toBe(0)
  })
})

describe('news that was lost', () => {
  it('is read in the ledger by a try that waits longer than a moment', async () => {
    const { room, enter, clock } = roomWith({ p_1: approved })
    const news = enter().next(LONG_MS)
    clock.ms = REREAD_MS

    await room.rereadOverdue()

    expect(await news).toEqual({ kind: 'told', record: approved })
  })

  it('is looked for after growing pauses', async () => {
    const { room, enter, clock, asked } = roomWith()
    enter()
    const readAt: number[] = []

    for (clock.ms = 0; clock.ms <= 20 * REREAD_MS; clock.ms += REREAD_MS / 10) {
      const before = asked.length
      await room.rereadOverdue()
      if (asked.length > before) readAt.push(clock.ms / REREAD_MS)
    }

    expect(readAt).toEqual([1, 2, 4, 8, 16])
  })

  it('is looked for at once for everybody when the channel was away, each payment once', async () => {
    const { room, enter, asked } = roomWith({ p_2: { ...approved, key: 'p_2' } })
    enter()
    enter()
    const news = enter('p_2').next(LONG_MS)

    await room.rereadAll()

    expect(asked).toEqual([['p_1', 'p_2']])
    expect(await news).toMatchObject({ kind: 'told' })
  })

  it('is not looked for by those who left', async () => {
    const { room, enter, asked } = roomWith()
    enter().leave()

    await room.rereadAll()

    expect(asked).toEqual([])
  })

  it('is looked for again when the ledger did not answer', async () => {
    const clock = { ms: REREAD_MS }
    const answers = [Promise.reject(new Error('away')), Promise.resolve([approved])]
    const readMany = () => answers.shift() ?? Promise.resolve([])
    const room = createWaitingRoom({
      rereadMs: 1,
      readMany,
      gateway: 'g1',
      clock: { ...systemClock, now: () => clock.ms },
    })
    const seat = room.enter('p_1', nobodyHangsUp)
    seat.admitted()
    const news = seat.next(LONG_MS)
    await expect(room.rereadAll()).rejects.toThrow('away')
    clock.ms += 1

    await room.rereadOverdue()

    expect(await news).toMatchObject({ kind: 'told' })
  })
})

describe('ten thousand held tries', () => {
  it('cost little: to hold, to look for, to tell and to let go', async () => {
    const { room, clock, asked } = roomWith()
    const keys = Array.from({ length: 10_000 }, (_, index) => `p_${index}`)
    // Of this process, so that it does not matter what else the machine does.
    const before = process.cpuUsage()

    const seats = keys.map((key) => room.enter(key, new AbortController().signal))
    for (const seat of seats) seat.admitted()
    const news = seats.map((seat) => seat.next(LONG_MS))
    clock.ms = REREAD_MS
    await room.rereadOverdue()
    for (const key of keys) room.tell({ ...approved, key })
    await Promise.all(news)
    for (const seat of seats) seat.leave()

    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(3000)
    expect(Math.max(...asked.map((flight) => flight.length))).toBeLessThanOrEqual(500)
    expect(asked.flat()).toHaveLength(10_000)
    expect(room.size()).toBe(0)
  })
})
