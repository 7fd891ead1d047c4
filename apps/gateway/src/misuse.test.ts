import { Secret } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import { type Payer, watchMisuse } from './misuse.ts'
import { ACCESS_KEY, ACCOUNT, recordOf } from './testing.ts'

const LIMIT = 3
const WINDOW_MS = 1000

function start() {
  const limits = {
    badCredentials: { limit: LIMIT, windowMs: WINDOW_MS },
    cardTesting: { declines: LIMIT, approvedPercent: 20, windowMs: WINDOW_MS },
  }
  return watchMisuse(limits, () => 0).misuse
}

const card = { kind: 'card', number: new Secret('4111111111111111'), expiration: new Secret('0830') } as const
const bank = { kind: 'bank', accountNumber: new Secret('15378535'), routingNumber: new Secret('244183602') } as const

const caller = (key = ACCESS_KEY, request: Payer['request'] = { method: 'charge', instrument: card }): Payer => ({
  credentials: { accountId: ACCOUNT, accessKey: new Secret(key) },
  request,
})
const numbers = [1, 2, 3]

const approved = recordOf({ state: 'approved', sent: 1000, id: '000000000001' })
const declined = recordOf({ state: 'declined', sent: 1000, code: '30002', message: 'DECLINED' })

describe('what looks like trying out cards', () => {
  it('is many payments that PayConex sent on and somebody declined', () => {
    const misuse = start()
    for (const nth of numbers) misuse.heard(caller(), { ...declined, key: `p_${nth}` })

    expect(misuse.suspect(caller())).toBe('card testing')
  })

  it('is not one decline that is heard of again and again', () => {
    const misuse = start()
    for (const _ of numbers) misuse.heard(caller(), declined)

    expect(misuse.suspect(caller())).toBeUndefined()
  })

  it('is one payment with many attempts, which have other cards', () => {
    const misuse = start()
    for (const attempt of numbers) misuse.heard(caller(), { ...declined, attempt })

    expect(misuse.suspect(caller())).toBe('card testing')
  })

  it.each([
    ['tokens, which nobody is asked for', { method: 'tokenize', instrument: card }],
    ['bank accounts, which no bank has seen yet', { method: 'charge', instrument: bank }],
  ] as const)('is not hidden by approvals of %s', (_, request) => {
    const misuse = start()
    for (const nth of numbers) {
      misuse.heard(caller(), { ...declined, key: `p_${nth}` })
      misuse.heard(caller(ACCESS_KEY, request), { ...approved, method: request.method, key: `p_1${nth}` })
    }

    expect(misuse.suspect(caller())).toBe('card testing')
    expect(misuse.suspect(caller(ACCESS_KEY, request))).toBeUndefined()
  })

  it('is not hidden by approvals of an earlier window that are asked for again', () => {
    const misuse = start()
    for (const nth of numbers) {
      misuse.heard(caller(), { ...declined, key: `p_${nth}` })
      misuse.heard(caller(), { ...approved, key: `p_1${nth}`, now: approved.first + WINDOW_MS })
    }

    expect(misuse.suspect(caller())).toBe('card testing')
  })

  it.each(['accepted', 'sending', 'not_sent', 'unconfirmed', 'reversing', 'reversed', 'review'] as const)(
    'is none of what is %s: nobody has said no',
    (state) => {
      const misuse = start()
      for (const nth of numbers) misuse.heard(caller(), { ...declined, key: `p_${nth}`, state })

      expect(misuse.suspect(caller())).toBeUndefined()
    },
  )
})

describe('what looks like guessing credentials', () => {
  const { sent: _, ...refusedFirst } = { ...declined, message: 'something of PayConex' }

  it.each([
    ['PayConex gave no id for', refusedFirst],
    ['PayConex calls an unknown account', { ...declined, message: 'Invalid account_id' }],
    ['PayConex calls a wrong key', { ...declined, message: 'Invalid api_accesskey' }],
  ])('is what %s', (_, record) => {
    const misuse = start()
    for (const nth of numbers) misuse.heard(caller(`wrong-${nth}`), { ...record, key: `p_${nth}` })

    expect(misuse.suspect(caller('another'))).toBe('bad credentials')
  })

  it('is not a declined card, which proves that the credentials are right', () => {
    const misuse = start()
    misuse.heard(caller(), declined)
    for (const nth of numbers) misuse.heard(caller(`wrong-${nth}`), { ...refusedFirst, attempt: 1 + nth })

    expect(misuse.suspect(caller())).toBeUndefined()
    expect(misuse.suspect(caller('another'))).toBe('bad credentials')
  })

  it('is not a bank account whose number PayConex calls invalid', () => {
    const misuse = start()
    const record = { ...declined, message: 'Invalid bank_account_number' }
    for (const nth of numbers) misuse.heard(caller(), { ...record, key: `p_${nth}` })

    expect(misuse.suspect(caller())).toBe('card testing')
  })
})
