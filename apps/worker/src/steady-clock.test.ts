import { describe, expect, it } from 'vitest'
import { createSteadyClock } from './steady-clock.ts'

const TOLERANCE_MS = 1000
const MINUTE = 60_000
const ABSENCE_MS = 10 * MINUTE
/** By how much the ledger's clock is ahead of this process's, which began to count when it was started. */
const AHEAD_MS = 1_700_000_000_000

/** A process that watches the ledger's clock: it asks every second, unless the test says otherwise, and waits for the answer. */
function watching() {
  const here = { ms: 5000 }
  const ledger = { ahead: AHEAD_MS }
  const steady = createSteadyClock({ now: () => here.ms, toleranceMs: TOLERANCE_MS })
  const ledgerNow = () => here.ms + ledger.ahead
  /** The ledger tells its time somewhere on the way between the question and the answer. */
  function ask({ there = 1, back = 1 } = {}) {
    const askedAt = here.ms
    here.ms += there
    const told = ledgerNow()
    here.ms += back
    steady.observe(told, askedAt)
  }
  const pass = (ms: number) => {
    here.ms += ms
  }
  function watch(ms: number) {
    for (const end = here.ms + ms; here.ms < end; pass(998)) ask()
    ask()
  }
  const jump = (ms: number) => {
    ledger.ahead += ms
  }
  ask()
  return {
    steady,
    ask,
    pass,
    watch,
    jump,
    ledgerNow,
    hasPassed: (moment: number) => steady.hasPassed(ABSENCE_MS, moment),
  }
}

describe('the time since a moment that this process has watched', () => {
  it('has passed when it has passed, and not before', () => {
    const { watch, ledgerNow, hasPassed } = watching()
    watch(MINUTE)
    const moment = ledgerNow()

    watch(ABSENCE_MS - 2000)
    expect(hasPassed(moment)).toBe(false)
    watch(4000)
    expect(hasPassed(moment)).toBe(true)
  })

  it('has not passed for something recent, however long this process has watched', () => {
    const { watch, ledgerNow, hasPassed } = watching()
    watch(6 * ABSENCE_MS)

    expect(hasPassed(ledgerNow() - MINUTE)).toBe(false)
  })

  it('has not passed since a moment that is still to come: a clock went back', () => {
    const { watch, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)

    expect(hasPassed(ledgerNow() + MINUTE)).toBe(false)
  })

  it('has not passed because the ledger’s clock has jumped and nobody has noticed yet', () => {
    const { watch, jump, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow()

    jump(60 * MINUTE)

    expect(hasPassed(moment)).toBe(false)
  })
})

describe('the time since a moment before this process', () => {
  it('is not believed by a fresh process, whatever the ledger’s clock says', () => {
    const { ledgerNow, hasPassed } = watching()

    expect(hasPassed(ledgerNow() - 60 * MINUTE)).toBe(false)
  })

  it('has passed once this process has watched for so long', () => {
    const { watch, ledgerNow, hasPassed } = watching()
    const moment = ledgerNow() - MINUTE

    watch(ABSENCE_MS - MINUTE)
    expect(hasPassed(moment)).toBe(false)
    watch(MINUTE + 1000)
    expect(hasPassed(moment)).toBe(true)
  })

  it('has not passed where the ledger never answered', () => {
    const here = { ms: 0 }
    const steady = createSteadyClock({ now: () => here.ms, toleranceMs: TOLERANCE_MS })
    here.ms = ABSENCE_MS - 1

    expect(steady.hasPassed(ABSENCE_MS, 0)).toBe(false)
  })
})

describe('an answer that took long', () => {
  // Found by the schedules (seed 13804933): a renewal that took a minute left room for a jump of half a minute.
  it('does not hide a jump', () => {
    const here = { ms: 0 }
    const steady = createSteadyClock({ now: () => here.ms, toleranceMs: TOLERANCE_MS })
    here.ms = MINUTE
    steady.observe(MINUTE, 0)
    const sent = MINUTE + 500
    const jumped = MINUTE / 2
    here.ms = MINUTE + 1000
    steady.observe(here.ms + jumped, here.ms)

    here.ms = sent + ABSENCE_MS - jumped
    expect(steady.hasPassed(ABSENCE_MS, sent)).toBe(false)
    here.ms = MINUTE + 1000 + ABSENCE_MS
    expect(steady.hasPassed(ABSENCE_MS, sent)).toBe(true)
  })

  it('still shows one that is longer than it took', () => {
    const { ask, jump, watch, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow() - 120 * MINUTE
    expect(hasPassed(moment)).toBe(true)

    jump(60 * MINUTE)
    ask({ there: MINUTE, back: MINUTE })

    expect(hasPassed(moment)).toBe(false)
  })
})

describe('a ledger’s clock that jumps', () => {
  it.each([
    ['forward', 60 * MINUTE],
    ['back', -60 * MINUTE],
    ['forward by little more than the tolerance', TOLERANCE_MS + 10],
    ['back by little more than the tolerance', -TOLERANCE_MS - 10],
  ])('%s begins the counting anew', (_, ms) => {
    const { watch, ask, jump, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow() - 120 * MINUTE
    expect(hasPassed(moment)).toBe(true)

    jump(ms)
    ask()

    expect(hasPassed(moment)).toBe(false)
    watch(ABSENCE_MS + 1000)
    expect(hasPassed(moment)).toBe(true)
  })

  it('does not make what is sent afterwards old', () => {
    const { watch, ask, jump, ledgerNow, hasPassed } = watching()
    watch(ABSENCE_MS)
    jump(60 * MINUTE)
    ask()
    const moment = ledgerNow()

    watch(ABSENCE_MS - 2000)
    expect(hasPassed(moment)).toBe(false)
    watch(4000)
    expect(hasPassed(moment)).toBe(true)
  })

  it('and back again does not make up for itself', () => {
    const { watch, ask, jump, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow() - ABSENCE_MS - MINUTE
    jump(60 * MINUTE)
    ask()
    jump(-60 * MINUTE)
    ask()

    expect(hasPassed(moment)).toBe(false)
  })
})

describe('what is no jump', () => {
  it.each([
    ['a slow question', { there: 5000 }],
    ['a slow answer', { back: 5000 }],
    ['both', { there: 5000, back: 5000 }],
  ])('is %s', (_, delays) => {
    const { watch, ask, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow() - ABSENCE_MS - MINUTE

    ask(delays)
    ask()

    expect(hasPassed(moment)).toBe(true)
  })

  it('is a silence of the ledger', () => {
    const { watch, pass, ask, ledgerNow, hasPassed } = watching()
    watch(2 * ABSENCE_MS)
    const moment = ledgerNow() - ABSENCE_MS - MINUTE

    pass(30 * MINUTE)
    ask()

    expect(hasPassed(moment)).toBe(true)
  })

  it('is a clock that runs a little faster or slower, as clocks do', () => {
    const { watch, jump, ledgerNow, hasPassed } = watching()
    const moment = ledgerNow() - MINUTE

    // 200 ms in ten minutes.
    for (let minute = 0; minute < 12; minute += 1) {
      watch(MINUTE)
      jump(20)
    }

    expect(hasPassed(moment)).toBe(true)
  })
})
