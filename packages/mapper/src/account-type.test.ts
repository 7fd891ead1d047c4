import { describe, expect, it } from 'vitest'
import { accepted, bankCharge, bankToken, visaCharge } from './fixtures.ts'

const typeOf = (changes: Record<string, unknown>) => accepted({ ...bankCharge, ...changes }).instrument

describe('the type of a bank account', () => {
  it.each([
    ['CHECKING', 'CHECKING'],
    ['savings', 'SAVINGS'],
    ['consumer-checking', 'CHECKING'],
    ['consumer-savings', 'SAVINGS'],
    ['commercial-checking', 'CHECKING'],
    ['Consumer_Savings', 'SAVINGS'],
  ])('is read from the word %s', (word, accountType) => {
    expect(typeOf({ parameters: { bank_account_type: word } })).toMatchObject({ accountType })
  })

  it.each([
    'bankaccounttype',
    'bankAccountType',
    'bank_account_type',
    'account-type',
    'ach_account_type',
    'ACH_ACCOUNT_TYPE',
  ])('may be a parameter called %s', (name) => {
    expect(typeOf({ parameters: { [name]: 'savings' } })).toMatchObject({ accountType: 'SAVINGS' })
  })

  it('may stand at the top level', () => {
    expect(typeOf({ bankAccountType: 'consumer-savings' })).toMatchObject({ accountType: 'SAVINGS' })
  })

  it('is what the parameters say when the top level says something else', () => {
    expect(typeOf({ bankaccounttype: 'checking', parameters: { account_type: 'savings' } })).toMatchObject({
      accountType: 'SAVINGS',
    })
  })

  it.each(['loan', '', 1, null, {}])('is left open when it is %j', (word) => {
    expect(typeOf({ parameters: { account_type: word } })).not.toHaveProperty('accountType')
  })

  it('is looked for further when the first place does not know it', () => {
    expect(typeOf({ accountType: 'savings', parameters: { account_type: 'loan' } })).toMatchObject({
      accountType: 'SAVINGS',
    })
  })

  it('is known for the bank account in the examples', () => {
    expect(accepted(bankToken).instrument).toMatchObject({ accountType: 'SAVINGS' })
  })

  it('does not matter for a card', () => {
    expect(accepted({ ...visaCharge, account_type: 'savings' }).instrument).not.toHaveProperty('accountType')
  })
})
