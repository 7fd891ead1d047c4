import { describe, expect, it } from 'vitest'
import { isForbiddenParameter, passableNames } from './parameter-names.ts'

describe('parameter names', () => {
  it('that are allowed and names that are forbidden have nothing in common', () => {
    expect([...passableNames([]).values()].filter(isForbiddenParameter)).toEqual([])
  })

  it('can be extended by configuration, in its spelling', () => {
    expect(passableNames(['Loyalty_Number']).get('loyaltynumber')).toBe('Loyalty_Number')
  })

  it('that are documented keep their spelling when configuration names them otherwise', () => {
    expect(passableNames(['FirstName']).get('firstname')).toBe('first_name')
  })

  it.each(['account_id', 'API-ACCESSKEY', 'CardNumber', 'hash_key', 'tokenId', 'Success_URL'])(
    'like %s stay forbidden when configuration names them',
    (name) => {
      expect([...passableNames([name]).values()]).toEqual([...passableNames([]).values()])
    },
  )

  it.each(['card.number', 'card number', ' amount', 'amount[', '', 'é'])(
    'like %j, no plain word, are ignored',
    (name) => {
      expect([...passableNames([name]).values()]).not.toContain(name)
    },
  )
})
