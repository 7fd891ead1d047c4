import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { ledgerKey } from './ledger-key.ts'

it('LEDGER_KEY is base64 of 32 bytes', () => {
  const key = randomBytes(32)

  expect(ledgerKey.parse(key.toString('base64'))).toEqual(key)
})

it.each([
  ['too short', randomBytes(31).toString('base64')],
  ['too long', randomBytes(33).toString('base64')],
  ['no base64', '!'],
  ['empty', ''],
])('LEDGER_KEY is refused where it is %s, with how to make one', (_, text) => {
  expect(ledgerKey.safeParse(text).error?.issues).toMatchObject([
    { message: 'must be base64 of 32 random bytes (make one with: npm run keys -- ledger)' },
  ])
})
