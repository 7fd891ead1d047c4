import { describe, expect, it } from 'vitest'
import { namedIn, readArguments } from './arguments.ts'
import { Unusable } from './ending.ts'

const NOW = Date.parse('2026-11-29T12:00:00Z')
const KEY = `p_${'a'.repeat(43)}`

const read = (...words: string[]) => readArguments(words, { now: NOW, user: () => 'ann' })

describe('the command line', () => {
  it('names a payment by account and transaction_id, or by its key', () => {
    expect(read('show', '120615000001', 'order-1')?.named).toEqual({
      account: '120615000001',
      transactionId: 'order-1',
    })
    expect(read('show', KEY)?.named).toEqual({ key: KEY })
    expect(read('audit')?.named).toBeUndefined()
  })

  it('says who does it: this machine’s user, unless another name is given', () => {
    expect(read('ask', KEY)?.by).toBe('ann')
    expect(read('ask', KEY, '--by', 'bob')?.by).toBe('bob')
  })

  it('reads states and times', () => {
    const given = read('list', '--state', 'unconfirmed, review', '--since', '2h', '--limit', '7')

    expect(given).toMatchObject({ states: new Set(['unconfirmed', 'review']), limit: 7, since: NOW - 7_200_000 })
  })

  it('reads states that are given one by one', () => {
    expect(read('list', '--state', 'unconfirmed', '--state', 'review')?.states).toEqual(
      new Set(['unconfirmed', 'review']),
    )
  })

  it('gives PayConex’ id the zeros back with which it begins', () => {
    expect(read('resolve', KEY, '--as', 'approved', '--id', '60253841998')?.id).toBe('060253841998')
    expect(read('resolve', KEY, '--as', 'approved', '--id', '060253841998')?.id).toBe('060253841998')
  })

  it.each([[[]], [['--help']], [['show', '--help']]])('wants help: %j', (words) => {
    expect(read(...words)).toBeUndefined()
  })

  it.each<[string[], string]>([
    [['pay'], 'the verb must be one of'],
    [['show'], 'needs an account and a transaction_id'],
    [['show', '120615000001'], 'needs an account and a transaction_id'],
    [['show', 'a', 'b', 'c'], 'needs an account and a transaction_id'],
    [['list', '120615000001'], 'takes no names'],
    [['list', '--as', 'approved'], 'list has no --as'],
    [['show', KEY, '--yes'], 'show has no --yes'],
    [['list', '--state', 'lost'], '--state: of accepted'],
    [['list', '--since', 'yesterday'], '--since: a time such as'],
    [['list', '--limit', '0'], '--limit: a whole number'],
    [['show', KEY, '--method', 'sale'], '--method: charge or tokenize'],
    [['resolve', KEY, '--as', 'reversed'], '--as: approved or declined'],
    [['resolve', KEY, '--reason', '4111 1111 1111 1111'], 'looks like a card number'],
    [['resolve', KEY, '--by', '4111-1111-1111-1111'], 'looks like a card number'],
    [['resolve', KEY, '--id', '4111111111111111'], '--id: PayConex’ transaction_id'],
    [['resolve', KEY, '--id', '4222222222222'], '--id: PayConex’ transaction_id'],
    [['resolve', KEY, '--id', ''], '--id: PayConex’ transaction_id'],
    [['resolve', KEY, '--code', '4111111111111111'], '--code: PayConex’ error code'],
    [['resolve', KEY, '--code', '4111-1111-1111-1111'], '--code: PayConex’ error code'],
    [['resolve', KEY, '--reason', 'one', '--reason', 'two'], '--reason is given twice'],
    [['list', '--json', '--json'], '--json is given twice'],
    [['list', '--state', 'review', '--state', 'lost'], '--state: of accepted'],
    [['show', '--access-key', 'secret'], "Unknown option '--access-key'"],
    [['resolve', KEY, '--as'], 'an option is missing its value'],
  ])('is refused: %j', (words, because) => {
    expect(() => read(...words)).toThrow(Unusable)
    expect(() => read(...words)).toThrow(because)
  })

  it('shows no value when it is refused', () => {
    expect(() => read('show', '--card', '4111111111111111')).toThrow(/^Unknown option '--card'$/)
    expect(() => read('resolve', KEY, '--reason', '4111111111111111')).toThrow(/^[^1]*$/)
  })

  it('that names no payment has none to give', () => {
    const given = read('stats')

    expect(() => given && namedIn(given)).toThrow('which payment?')
  })
})
