import type { Clock } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { type Capacity, createLanes, type Lanes, type LanesOptions, type Place } from './lanes.ts'

/** Two gateways share the room; this one has `places` of it. */
const roomFor = (places: number): Capacity => ({ concurrency: 2 * places, gateways: 2 })

const noTime: Pick<Clock, 'now'> = { now: () => 0 }

const open = (capacity: LanesOptions['capacity'], sleep: Clock['sleep'] = async () => undefined, { now } = noTime) =>
  createLanes({ capacity, lingerMs: 3000, clock: { now, sleep } })

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Places of one account, and which of them have had their turn, by number. */
function crowd(lanes: Lanes, account: string, count: number) {
  const gone: number[] = []
  const places: Place[] = []
  const arrive = (more: number) => {
    for (let n = 0; n < more; n += 1) {
      const place = lanes.enter(account, `${account}-${places.length}`)
      const number = places.push(place) - 1
      void place.turn.then((mayGo) => mayGo && gone.push(number))
    }
  }
  arrive(count)
  const leave = async (...numbers: number[]) => {
    for (const number of numbers) places[number]?.leave()
    await settled()
  }
  const turns = async () => {
    await settled()
    return gone
  }
  return { places, arrive, leave, turns }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('an account alone', () => {
  it('uses all the room there is, also what other gateways leave, and no more', async () => {
    const lanes = open(() => roomFor(5))

    expect(await crowd(lanes, 'a', 30).turns()).toEqual(upTo(10))
  })

  it('has no limit while nobody knows how much room there is', async () => {
    const lanes = open(() => undefined)

    expect(await crowd(lanes, 'a', 1000).turns()).toHaveLength(1000)
  })

  it('goes on in order, one for each that ends', async () => {
    const lanes = open(() => roomFor(2))
    const payments = crowd(lanes, 'a', 8)

    await payments.leave(2, 0)

    expect(await payments.turns()).toEqual([0, 1, 2, 3, 4, 5])
  })
})

describe('an account that floods', () => {
  it('leaves a third free for another, which has its turn at once', async () => {
    const lanes = open(() => roomFor(30))
    const light = crowd(lanes, 'light', 1)

    const flood = await crowd(lanes, 'flood', 1000).turns()

    expect(flood).toHaveLength(20)
    light.arrive(9)
    expect(await light.turns()).toHaveLength(10)
  })

  it('that was there first has to give way, payment by payment', async () => {
    const lanes = open(() => roomFor(30))
    const flood = crowd(lanes, 'flood', 1000)
    expect(await flood.turns()).toHaveLength(60)
    const other = crowd(lanes, 'other', 1000)
    expect(await other.turns()).toHaveLength(20)

    await flood.leave(...upTo(40))
    expect(await flood.turns()).toHaveLength(60)
    await flood.leave(40)

    expect(await flood.turns()).toHaveLength(61)
  })

  it('uses what many others who want little do not', async () => {
    const lanes = open(() => roomFor(100))
    for (const n of upTo(40)) lanes.enter(`light-${n}`, `light-${n}`)

    const flood = await crowd(lanes, 'flood', 1000).turns()

    // 40 places are taken; two thirds of the rest.
    expect(flood).toHaveLength(40)
    expect(flood.length).toBeGreaterThan((2 * 100) / 42)
  })

  it('is one of many that do: each has its turn, however many they are', async () => {
    const lanes = open(() => roomFor(4))
    const all = upTo(50).map((n) => crowd(lanes, `flood-${n}`, 10))

    for (const each of all) expect((await each.turns()).length).toBeGreaterThanOrEqual(1)
  })

  it('gets it all back when the other has gone', async () => {
    const lanes = open(() => roomFor(30))
    const light = crowd(lanes, 'light', 1)
    const flood = crowd(lanes, 'flood', 1000)
    await flood.turns()

    await light.leave(0)

    expect(await flood.turns()).toHaveLength(60)
  })
})

describe('whoever leaves', () => {
  it('while waiting is told so, and is stepped over', async () => {
    const lanes = open(() => roomFor(1))
    const payments = crowd(lanes, 'a', 5)

    await payments.leave(2, 3)
    await payments.leave(0)

    expect(await payments.places[2]?.turn).toBe(false)
    expect(await payments.turns()).toEqual([0, 1, 4])
  })

  it('twice is counted once', async () => {
    const lanes = open(() => roomFor(1))
    const payments = crowd(lanes, 'a', 10)

    await payments.leave(0, 0, 0, 5, 5)

    expect(await payments.turns()).toEqual([0, 1, 2])
  })

  it('last takes the lane along', async () => {
    const lanes = open(() => roomFor(1))
    const crowds = upTo(100).map((n) => crowd(lanes, `account-${n}`, 3))
    await crowds[0]?.turns()
    expect(lanes.size()).toBe(100)

    for (const each of crowds) await each.leave(...upTo(3))

    expect(lanes.size()).toBe(0)
  })
})

describe('a payment whose caller hangs up', () => {
  /** Time that passes when the test says so. */
  function openWithTime() {
    const sleeping: (() => void)[] = []
    const sleep = () => new Promise<void>((resolve) => void sleeping.push(resolve))
    const timePasses = async () => {
      for (const wake of sleeping.splice(0)) wake()
      await settled()
    }
    return { lanes: open(() => roomFor(1), sleep), timePasses }
  }

  it('before its turn keeps its place in the line for a while', async () => {
    const { lanes, timePasses } = openWithTime()
    const payments = crowd(lanes, 'a', 4)

    payments.places[2]?.hangUp()
    const next = lanes.enter('a', 'a-2')
    await timePasses()
    await payments.leave(0)

    expect(await next.turn).toBe(true)
    expect(await payments.turns()).toEqual([0, 1, 2])
  })

  it('and does not come back loses it', async () => {
    const { lanes, timePasses } = openWithTime()
    const payments = crowd(lanes, 'a', 4)

    payments.places[2]?.hangUp()
    await timePasses()
    await payments.leave(0)

    expect(await payments.places[2]?.turn).toBe(false)
    expect(await payments.turns()).toEqual([0, 1, 3])
  })

  it('while it is under way counts for a while yet', async () => {
    const { lanes, timePasses } = openWithTime()
    const payments = crowd(lanes, 'a', 4)

    payments.places[0]?.hangUp()
    expect(await payments.turns()).toEqual([0, 1])
    await timePasses()

    expect(await payments.turns()).toEqual([0, 1, 2])
  })

  it('and comes back counts once, until it is over', async () => {
    const { lanes, timePasses } = openWithTime()
    const payments = crowd(lanes, 'a', 5)

    payments.places[0]?.hangUp()
    const next = lanes.enter('a', 'a-0', { isUnderWay: true })
    await timePasses()
    expect(await payments.turns()).toEqual([0, 1])
    next.leave()
    payments.places[0]?.leave()

    expect(await payments.turns()).toEqual([0, 1, 2])
  })

  it('and comes back when another gateway has sent it on its way counts, too, whatever the limit', async () => {
    const { lanes } = openWithTime()
    const payments = crowd(lanes, 'a', 4)

    const [waited, unknown] = ['a-3', 'another'].map((payment) => lanes.enter('a', payment, { isUnderWay: true }))
    expect(await waited?.turn).toBe(true)
    expect(await unknown?.turn).toBe(true)
    await payments.leave(0, 1)

    expect(await payments.turns()).toEqual([0, 1, 3])
  })
})

describe('the room', () => {
  it('that grows is used at once, that shrinks is given back as payments end', async () => {
    let capacity = roomFor(1)
    const lanes = open(() => capacity)
    const payments = crowd(lanes, 'a', 20)
    expect(await payments.turns()).toHaveLength(2)

    capacity = roomFor(3)
    lanes.refresh()
    expect(await payments.turns()).toHaveLength(6)
    capacity = roomFor(1)
    await payments.leave(...upTo(4))
    expect(await payments.turns()).toHaveLength(6)
    await payments.leave(4)

    expect(await payments.turns()).toHaveLength(7)
  })

  it('can be asked for by whoever wants to know how long it would wait', async () => {
    const lanes = open(() => roomFor(30))
    crowd(lanes, 'flood', 100)
    crowd(lanes, 'other', 1)

    expect(lanes.look('flood')).toEqual({ waiting: 40, atOnce: 20 })
    expect(lanes.look('nobody')).toEqual({ waiting: 0, atOnce: 20 })
  })

  it('is shared by all accounts that wait', async () => {
    const lanes = open(() => roomFor(30))
    for (const n of upTo(10)) crowd(lanes, `flood-${n}`, 100)

    expect(lanes.look('flood-3').atOnce).toBe(3)
  })
})

describe('many who wait', () => {
  /** How long the processor takes until this many have entered and, one by one, have left; the best of three. */
  function costOf(count: number, order: (places: Place[]) => Place[]): number {
    const costs = upTo(3).map(() => {
      const lanes = open(() => roomFor(1))
      const before = process.cpuUsage()
      const places = upTo(count).map((n) => lanes.enter('a', `p_${n}`))
      for (const place of order(places)) place.leave()
      return process.cpuUsage(before).user
    })
    return Math.min(...costs)
  }

  it.each([
    ['in order', (places: Place[]) => places],
    ['from behind', (places: Place[]) => places.toReversed()],
  ])('do not slow each other down when they leave %s', { timeout: 30_000, retry: 2 }, (_name, order) => {
    const few = costOf(10_000, order)

    // Ten times as long, with room for noise; where each steps over all who left before it, some sixty times.
    expect(costOf(100_000, order)).toBeLessThan(30 * Math.max(few, 10_000))
  })
})

describe('the payment that has waited longest', () => {
  it('is as old as the first in any lane that has not had its turn', async () => {
    let ms = 0
    const lanes = open(() => roomFor(1), undefined, { now: () => ms })
    crowd(lanes, 'a', 2)
    ms = 400
    const late = crowd(lanes, 'b', 2)
    ms = 1000
    expect(lanes.oldestMs()).toBe(600)

    await late.leave(0)

    expect(await late.turns()).toEqual([0, 1])
    expect(lanes.oldestMs()).toBe(0)
  })

  it('has no age where everybody has had their turn', () => {
    const lanes = open(() => roomFor(1))
    crowd(lanes, 'a', 2)

    expect(lanes.oldestMs()).toBe(0)
  })
})
