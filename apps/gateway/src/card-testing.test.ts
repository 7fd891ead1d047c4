import { describe, expect, it } from 'vitest'
import { createCardTesting } from './card-testing.ts'
import { ACCOUNT } from './testing.ts'

const WINDOW_MS = 600_000
const limits = { declines: 50, approvedPercent: 20, windowMs: WINDOW_MS }

function start(changes: Partial<typeof limits> = {}) {
  const clock = { ms: 0 }
  const cardTesting = createCardTesting({ ...limits, ...changes, now: () => clock.ms })
  const end = (approved: number, declined: number, account = ACCOUNT) => {
    for (let nth = 0; nth < approved; nth += 1) cardTesting.wasApproved(account)
    for (let nth = 0; nth < declined; nth += 1) cardTesting.wasDeclined(account)
  }
  return { clock, cardTesting, end }
}

describe('an account', () => {
  it('with many declines and hardly an approval is suspected, and no other is', () => {
    const { cardTesting, end } = start()
    end(12, 50)

    expect(cardTesting.isSuspected(ACCOUNT)).toBe(true)
    expect(cardTesting.isSuspected('120615000002')).toBe(false)
  })

  it.each([
    ['few payments, all declined', 0, 49],
    ['one approval in five', 13, 50],
    ['two thousand payments in ten minutes, a fifth declined', 1600, 400],
    ['a bad day: half of very many declined', 5000, 5000],
  ])('with %s is not', (_, approved, declined) => {
    const { cardTesting, end } = start()
    end(approved, declined)

    expect(cardTesting.isSuspected(ACCOUNT)).toBe(false)
  })

  it('of a call center with 600 calls a minute and a fifth declined never is, at no moment of an hour', () => {
    const { clock, cardTesting } = start()
    const suspected = new Set<boolean>()

    for (let call = 0; call < 36_000; call += 1) {
      clock.ms = call * 100
      if (call % 5 === 0) cardTesting.wasDeclined(ACCOUNT)
      else cardTesting.wasApproved(ACCOUNT)
      suspected.add(cardTesting.isSuspected(ACCOUNT))
    }

    expect(suspected).toEqual(new Set([false]))
  })

  it('gets a few payments through while time passes, and all when it has passed', () => {
    const { clock, cardTesting, end } = start()
    end(0, 50)

    clock.ms = WINDOW_MS + WINDOW_MS / 10
    expect(cardTesting.isSuspected(ACCOUNT)).toBe(false)
    end(0, 6)
    expect(cardTesting.isSuspected(ACCOUNT)).toBe(true)

    clock.ms = 3 * WINDOW_MS
    expect(cardTesting.isSuspected(ACCOUNT)).toBe(false)
  })

  it('is never suspected with a limit of 0', () => {
    const { cardTesting, end } = start({ declines: 0 })
    end(0, 10_000)

    expect(cardTesting.isSuspected(ACCOUNT)).toBe(false)
  })
})
