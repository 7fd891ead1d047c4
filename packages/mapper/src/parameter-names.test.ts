import { describe, expect, it } from 'vitest'
import { allowed, fold, isForbiddenParameter, passableName } from './parameter-names.ts'

describe('parameter names', () => {
  it('that are allowed and names that are forbidden have nothing in common', () => {
    expect([...allowed.values()].filter(isForbiddenParameter)).toEqual([])
  })

  it('that are allowed are passed on as PayConex spells them', () => {
    expect(passableName('firstname', [])).toBe('first_name')
  })

  it('that are unknown are not passed on', () => {
    expect(passableName('loyaltynumber', ['shoe_size'])).toBeUndefined()
  })

  it('can be extended by configuration, in its spelling, of two the last', () => {
    expect(passableName('loyaltynumber', ['Loyalty_Number'])).toBe('Loyalty_Number')
    expect(passableName('loyaltynumber', ['loyalty_number', 'shoe_size', 'LoyaltyNumber'])).toBe('LoyaltyNumber')
  })

  it('that are documented keep their spelling when configuration names them otherwise', () => {
    expect(passableName('firstname', ['FirstName'])).toBe('first_name')
  })

  it.each(['account_id', 'API-ACCESSKEY', 'CardNumber', 'hash_key', 'tokenId', 'Success_URL'])(
    'like %s stay forbidden when configuration names them',
    (name) => {
      expect(passableName(fold(name), [name])).toBeUndefined()
    },
  )

  it.each(['card.number', 'card number', ' amount', 'amount[', '', 'é'])(
    'like %j, no plain word, are ignored',
    (name) => {
      expect(passableName(fold(name), [name])).toBeUndefined()
    },
  )
})
