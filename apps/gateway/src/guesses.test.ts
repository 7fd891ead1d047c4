import { inspect } from 'node:util'
import { Secret } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import { createGuesses } from './guesses.ts'
import { ACCESS_KEY, ACCOUNT } from './testing.ts'

const LIMIT = 3
const WINDOW_MS = 1000
const OTHER_ACCOUNT = '120615000002'

const caller = (key: string, { accountId = ACCOUNT, address }: { accountId?: string; address?: string } = {}) => ({
  credentials: { accountId, accessKey: new Secret(key) },
  address,
})

function start(limit = LIMIT) {
  const clock = { ms: 0 }
  const guesses = createGuesses({ limit, windowMs: WINDOW_MS, now: () => clock.ms })
  const guess = (many: number, where: { accountId?: string; address?: string } = {}) => {
    for (let nth = 0; nth < many; nth += 1) guesses.wasRefused(caller(`wrong-${nth}`, where))
  }
  return { clock, guesses, guess }
}

describe('credentials', () => {
  it('are tried as long as few wrong ones were', () => {
    const { guesses, guess } = start()
    guess(LIMIT - 1)

    expect(guesses.isOneTooMany(caller('another'))).toBe(false)
  })

  it('are not tried any more when PayConex refused too many of their account, from wherever they come', () => {
    const { guesses, guess } = start()
    guess(LIMIT, { address: '192.0.2.1' })

    expect(guesses.isOneTooMany(caller('another', { address: '192.0.2.2' }))).toBe(true)
    expect(guesses.isOneTooMany(caller('another', { accountId: OTHER_ACCOUNT }))).toBe(false)
  })

  it('that PayConex has served always pass: nobody locks a merchant out by guessing', () => {
    const { guesses, guess } = start()
    guesses.wasServed(caller(ACCESS_KEY))

    guess(100 * LIMIT, { address: '192.0.2.1' })

    expect(guesses.isOneTooMany(caller(ACCESS_KEY, { address: '192.0.2.1' }))).toBe(false)
    expect(guesses.isOneTooMany(caller('another'))).toBe(true)
  })

  it('that were served and are refused now are tried on, and speak against nobody: PayConex may be in trouble', () => {
    const { guesses } = start()
    guesses.wasServed(caller(ACCESS_KEY))

    for (let nth = 0; nth < LIMIT; nth += 1) guesses.wasRefused(caller(ACCESS_KEY))

    expect(guesses.isOneTooMany(caller(ACCESS_KEY))).toBe(false)
    expect(guesses.isOneTooMany(caller('another'))).toBe(false)
  })

  it('that are wrong again and again keep only themselves out', () => {
    const { guesses } = start()

    for (let nth = 0; nth < 10 * LIMIT; nth += 1) guesses.wasRefused(caller('wrong', { address: '192.0.2.1' }))

    expect(guesses.isOneTooMany(caller('wrong'))).toBe(true)
    expect(guesses.isOneTooMany(caller('another', { address: '192.0.2.1' }))).toBe(false)
  })

  it('are not tried from an address that tried too many, one of each account', () => {
    const { guesses } = start()
    for (const accountId of ['1', '2', '3']) guesses.wasRefused(caller('wrong', { accountId, address: '192.0.2.1' }))

    expect(guesses.isOneTooMany(caller('another', { address: '192.0.2.1' }))).toBe(true)
    expect(guesses.isOneTooMany(caller('another', { address: '192.0.2.2' }))).toBe(false)
    expect(guesses.isOneTooMany(caller('another'))).toBe(false)
  })

  it('are tried again when time has passed', () => {
    const { clock, guesses, guess } = start()
    guess(LIMIT)

    clock.ms = 2 * WINDOW_MS

    expect(guesses.isOneTooMany(caller('another'))).toBe(false)
  })

  it('are never kept: neither the key nor anything that could be computed from it elsewhere', () => {
    const { guesses } = start()
    guesses.wasRefused(caller(ACCESS_KEY))
    guesses.wasServed(caller(ACCESS_KEY))

    expect(inspect(guesses, { depth: 10, showHidden: true })).not.toContain(ACCESS_KEY)
  })
})

describe('a network that is answered with 401', () => {
  it('is one too often after so many, until time has passed', () => {
    const { clock, guesses } = start()
    const ask = (many: number) => Array.from({ length: many }, () => guesses.wasStrange('192.0.2.1'))

    expect(ask(LIMIT + 1)).toEqual([false, false, false, true])
    expect(guesses.wasStrange('192.0.2.2')).toBe(false)
    clock.ms = 2 * WINDOW_MS
    expect(ask(1)).toEqual([false])
  })
})

describe('a limit of 0', () => {
  it('lets everybody try as often as they like', () => {
    const { guesses, guess } = start(0)
    guess(1000, { address: '192.0.2.1' })

    expect(guesses.isOneTooMany(caller('another', { address: '192.0.2.1' }))).toBe(false)
    expect(guesses.wasStrange('192.0.2.1')).toBe(false)
  })
})
