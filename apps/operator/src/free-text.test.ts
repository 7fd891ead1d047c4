import { shown } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { checkedText } from './free-text.ts'

describe('a reason', () => {
  it.each(['seen in the console', 'ticket 12345', 'PayConex id 060253841998', 'call +1 555 010 0199'])(
    'may be %s',
    (text) => {
      expect(checkedText(text)).toBeUndefined()
    },
  )

  it.each([
    '4111111111111111',
    'card 4111 1111 1111 1111 was lost',
    '4111-1111-1111-1111',
    '4111.1111.1111.1111',
    '378282246310005',
    '2024-4111111111111111',
    // No brand issues it, and it passes Luhn's check.
    '0000000000000000',
  ])('may not have in it what looks like a card number: %s', (text) => {
    expect(checkedText(text)).toMatch('looks like a card number')
  })

  it.each([
    ['', 'must not be empty'],
    [' ', 'must not be empty'],
    ['one\ntwo', 'must be one line'],
    ['\u001b[2J', 'must be one line'],
    ['x'.repeat(501), 'must not have more than 500'],
  ])('has its limits: %j', (text, because) => {
    expect(checkedText(text)).toMatch(because)
  })
})

describe('a text of others', () => {
  it('is shown as it is, but for what would move the terminal', () => {
    expect(shown('order-1')).toBe('order-1')
    expect(shown('a\u001b[2Jb')).toBe('a [2Jb')
  })

  it.each(['4111111111111111', 'order 4111 1111 1111 1111'])(
    'is not shown where a card number is in it: %s',
    (text) => {
      expect(shown(text)).toBe('[not shown: looks like a card number]')
    },
  )

  it('is shown where its digits are no card’s', () => {
    expect(shown('1795943450772')).toBe('1795943450772')
  })
})

it('a text that would turn the direction of what a terminal shows is shown without that', () => {
  expect(shown('order\u202e1')).toBe('order 1')
})
